#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Which packages are still missing, after what a cut-off installation left behind has been repaired."""

from __future__ import annotations

import os
import subprocess

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.forgelab_locks import dpkg_interrupted, locked_by

DOCUMENTATION = r"""
module: packages_state
short_description: Repair an interrupted dpkg and name the packages that are missing
description:
  - Answers in a tenth of a second from dpkg's own database, where opening apt's cache takes about a second.
  - When an earlier installation was cut off (a cancelled run, a power cut), C(dpkg --configure -a) and
    C(apt-get --fix-broken install) finish it first, keeping configuration files that were changed by hand.
author: ForgeLab
options:
  names: {description: Package names. One with a version or release (C(x=1.*)) always counts as missing.,
          type: list, elements: str, default: []}
  lock_wait_seconds: {description: How long to wait for another package manager., type: int, default: 120}
"""

EXAMPLES = r"""
- name: Look at the packages
  packages_state:
    names: [nginx, php8.2-fpm]
  register: packages_found
"""

RETURN = r"""
missing: {description: Packages that are not installed., returned: always, type: list, elements: str}
repaired: {description: Packages that had been left half installed., returned: always, type: list, elements: str}
"""

FORMAT = "${db:Status-Status}\t${Package}\t${Architecture}\n"
SETTLED = ("installed", "config-files", "not-installed")
KEEP_FILES = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of dpkg or apt without questions."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment
    )


def parse_statuses(text: str) -> dict[str, str]:
    """Package name to dpkg's status word; a name also stands with its architecture (`libc6:amd64`)."""
    statuses: dict[str, str] = {}
    for status, name, architecture in (line.split("\t") for line in text.splitlines()):
        statuses[f"{name}:{architecture}"] = status
        if statuses.get(name) != "installed":
            statuses[name] = status
    return statuses


def statuses() -> dict[str, str]:
    """dpkg's status of every package it knows."""
    return parse_statuses(run("dpkg-query", "--show", f"--showformat={FORMAT}").stdout)


def unsettled(found: dict[str, str]) -> list[str]:
    """Packages that stopped half-way."""
    return sorted(name for name, status in found.items() if ":" not in name and status not in SETTLED)


def missing(names: list[str], found: dict[str, str]) -> list[str]:
    """Those of `names` that are not installed, each once."""
    return [name for name in dict.fromkeys(names) if found.get(name) != "installed"]


def repair() -> str | None:
    """Finish what was cut off. Returns what went wrong, or None."""
    run("dpkg", "--force-confdef", "--force-confold", "--configure", "-a")
    done = run("apt-get", *KEEP_FILES, "--fix-broken", "--yes", "--no-install-recommends", "install")
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:]) if done.returncode else None


def main() -> None:
    """Entry point on the device."""
    spec = {
        "names": {"type": "list", "elements": "str", "default": []},
        "lock_wait_seconds": {"type": "int", "default": 120},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    found = statuses()
    broken = unsettled(found)
    damaged = bool(broken) or dpkg_interrupted()
    if damaged and not module.check_mode:
        held = locked_by(module.params["lock_wait_seconds"])
        if held:
            module.fail_json(
                msg=f"Another package manager (process {held[1]}) still holds {held[0]}: wait for it, then run again."
            )
        trouble = repair()
        found = statuses()
        if trouble and unsettled(found):
            module.fail_json(
                msg=f"An earlier installation was cut off and could not be finished:\n{trouble}\n"
                "Look at it on the device with `dpkg --audit`, then run again."
            )
    module.exit_json(changed=damaged, missing=missing(module.params["names"], found), repaired=broken)


if __name__ == "__main__":
    main()
