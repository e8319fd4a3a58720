#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Node.js and packages for every user, put in place in the background while other tasks go on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils import nodejs_job

DOCUMENTATION = r"""
module: nodejs_install
short_description: Install Node.js and npm packages, in the background if wanted
description:
  - Looks at what is missing. If something is, a process of its own puts it in place, and the task ends at once.
  - The same module with O(job) waits for that process and returns its result.
  - Two installations never work at the same time, and each puts its work in place by a rename at its end. One that
    was cut off leaves nothing half done; the next run does what is missing.
author: ForgeLab
options:
  home: {description: Where the official binary stands; empty for the distribution's., type: str, default: ""}
  version: {description: Exact version of the official binary., type: str, default: ""}
  requirement: {description: What pip is asked for; with hashes., type: str, default: ""}
  packages: {description: Packages as NAME or NAME@VERSION., type: list, elements: str, default: []}
  node_script: {description: Shell script that installs the binary., type: str, default: ""}
  packages_script: {description: Shell script that installs packages., type: str, default: ""}
  background: {description: End the task before the work is done., type: bool, default: true}
  job: {description: The job to wait for; empty waits for nothing., type: str}
"""

EXAMPLES = r"""
- name: Install Node.js
  forgelab.homelab.nodejs_install: {home: "{{ nodejs_home }}", packages: [yarn@1]}
  register: nodejs_started
  notify: Finish installing Node.js
"""

RETURN = r"""
missing: {description: What was missing., returned: when job is not given, type: list, elements: str}
managed: {description: What this module looks after., returned: when job is not given, type: dict}
job: {description: Name of the job in the background; empty for none., returned: when job is not given, type: str}
"""

NODE = "node"
PROGRAMS = (NODE, "npm", "npx", "corepack")
OURS = "/opt/forgelab/nodejs/"
BIN = Path("/usr/local/bin")
MODULES = Path("/usr/local/lib/node_modules")
WAYS_OUT = {
    "node": "Nothing was changed. Give the device access to a Python package index (a mirror can be named in its "
    "/etc/pip.conf), choose nodejs_source: distribution, or leave Node.js out.",
    "packages": "None of them was changed. Give the device access to an npm registry (a mirror can be named in its "
    "npmrc), correct nodejs_global_packages, or set it to [].",
}  # fmt: skip


def linked(program: str) -> str:
    """Where the link of the program points to; empty for none."""
    path = BIN / program
    return str(path.readlink()) if path.is_symlink() else ""


def is_there(program: str, home: str) -> bool:
    """Whether the program is the wanted one: below `home`, or, with no home, the distribution's."""
    target = linked(program)
    if not home:
        return not target.startswith(OURS)
    return target == f"{home}/bin/{program}" and os.access(target, os.X_OK)


def has_version(package: str) -> bool:
    """Whether NAME or NAME@VERSION is installed for every user; 1 and 1.22 are satisfied by 1.22.3."""
    name, _, version = package[1:].partition("@")
    described = MODULES / (package[0] + name) / "package.json"
    try:
        found = str(json.loads(described.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return not version or f"{found}.".startswith(f"{version}.")


def missing(home: str, packages: Sequence[str]) -> list[str]:
    """`node` if Node.js is not complete and linked, and the packages that are not installed."""
    there = all(is_there(program, home) for program in PROGRAMS)
    return [*([] if there else [NODE]), *(package for package in packages if not has_version(package))]


def use_distribution() -> None:
    """Take the official binary off everybody's PATH, so that the distribution's is found."""
    for program in PROGRAMS:
        if not is_there(program, ""):
            (BIN / program).unlink()


def work(params: dict) -> Callable[[], dict]:
    """The function that installs what is missing, and answers with the sentence of what failed, or none."""

    def install() -> dict:
        with nodejs_job.alone() as lock:
            if lock is None:
                return {"failed": "Another installation of Node.js has been busy for too long: see `ps` on the device."}
            wanted = missing(params["home"], params["packages"])  # an earlier job may just have done it
            if NODE in wanted and params["home"]:
                arguments = ["install-node.sh", params["home"], params["version"], params["requirement"]]
                if said := nodejs_job.run(["sh", "-c", params["node_script"], *arguments], lock):
                    return failed("node", f"Node.js {params['version']}", said)
            elif NODE in wanted:
                use_distribution()
            if packages := [name for name in wanted if name != NODE]:
                command = ["sh", "-c", params["packages_script"], "install-packages.sh", *packages]
                if said := nodejs_job.run(command, lock):
                    return failed("packages", ", ".join(packages), said)
        return {}

    return install


def failed(part: str, names: str, said: str) -> dict:
    """The answer of a job that could not install `names`."""
    return {"failed": f"{names} could not be installed on this device: {said}\n-- {WAYS_OUT[part]}"}


def wait(module: AnsibleModule, job: str) -> None:
    """Wait for the job; ends the module when it failed."""
    try:
        answer = nodejs_job.finish(job)
    except nodejs_job.Unfinished as cut:
        answer = {"failed": f"The installation of Node.js was cut off: {cut} Nothing is half done: run again."}
    if "failed" in answer:
        module.fail_json(msg=answer["failed"])


def managed(home: str) -> dict[str, list[str]]:
    """What is ForgeLab's and may be taken away again: the links, without which nobody finds Node.js."""
    return {"files": [str(BIN / program) for program in PROGRAMS]} if home else {}


def difference(wanted: Sequence[str], params: dict) -> dict[str, str]:
    """What --diff shows."""
    node = f"Node.js {params['version']}" if params["home"] else "Node.js of the distribution"
    names = [node if name == NODE else name for name in wanted]
    return {"before": "", "after": "".join(f"{name}\n" for name in names)}


def main() -> None:
    """Entry point on the device."""
    text = {"type": "str", "default": ""}
    names = ("home", "version", "requirement", "node_script", "packages_script")
    spec = {
        **{name: text for name in names},
        "packages": {"type": "list", "elements": "str", "default": []},
        "background": {"type": "bool", "default": True},
        "job": {"type": "str"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    params = module.params
    if params["job"] is not None:
        if params["job"]:
            wait(module, params["job"])
        module.exit_json(changed=bool(params["job"]))
    wanted = missing(params["home"], params["packages"])
    job = nodejs_job.start(work(params)) if wanted and not module.check_mode else ""
    if job and not params["background"]:
        wait(module, job)
        job = ""
    module.exit_json(
        changed=bool(wanted), missing=wanted, job=job, managed=managed(params["home"]), diff=difference(wanted, params)
    )


if __name__ == "__main__":
    main()
