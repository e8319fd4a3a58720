#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Runs the backup program that the role backups installs, and returns the result to ForgeLab."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: device_backups
short_description: Back up and restore a device's databases
description:
  - Calls C(forgelab-backup), which the role backups installs. Fails with the program's own sentences.
author: ForgeLab
options:
  state:
    description: V(made) backs up, V(restored) restores a database.
    type: str
    choices: [made, restored]
    required: true
  databases: {description: With V(made) - only these; all of them if empty., type: list, elements: str, default: []}
  database: {description: With V(restored) - the database., type: str, default: ""}
  at: {description: With V(restored) - which backup. The newest one if empty., type: str, default: ""}
  into: {description: With V(restored) - the name of a new database. In place of the old one if empty., type: str,
         default: ""}
  engine: {description: With V(restored) - C(postgresql) or C(mysql) where both have it., type: str, default: ""}
"""

EXAMPLES = r"""
- name: Back up every database
  forgelab.homelab.device_backups:
    state: made
"""

RETURN = r"""
forgelab:
  description: Key C(backups) with the backups made (also when some failed), or C(restored) with what was restored and
    the name under which the earlier database is kept.
  returned: always
  type: dict
sentences: {description: What the program said., returned: success, type: list, elements: str}
"""

PROGRAM = "/usr/local/sbin/forgelab-backup"
ABSENT = "This device has no backups: provision its server with the component backups, then try again."
DETAILS = ("sha256", "damaged")  # what a result has no room for


def command(params: dict) -> list[str]:
    """The program's arguments. A name that begins with a dash is no option: names come after two dashes."""
    if params["state"] == "made":
        return ["now", "--json", "--", *params["databases"]]
    options = [f"--{name}={params[name]}" for name in ("at", "into", "engine") if params[name]]
    return ["restore", "--json", *options, "--", params["database"]]


def call(arguments: list[str]) -> tuple[int, dict, str]:
    """Status, what it printed as JSON, and its sentences."""
    environment = {name: value for name, value in os.environ.items() if name != "JOURNAL_STREAM"}
    done = subprocess.run(
        [PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
        env=environment,
    )  # fmt: skip
    try:
        printed = json.loads(done.stdout)
    except ValueError:
        printed = {}
    return done.returncode, printed, done.stderr.strip()


def told(state: str, printed: dict) -> dict:
    """What ForgeLab learns of it."""
    if state == "restored":
        return {"restored": printed} if printed else {}
    made = [{name: value for name, value in each.items() if name not in DETAILS} for each in printed.get("made", [])]
    return {"backups": {"made": made, "complete": printed.get("complete")}}


def main() -> None:
    """Entry point on the device."""
    spec = {
        "state": {"type": "str", "choices": ["made", "restored"], "required": True},
        "databases": {"type": "list", "elements": "str", "default": []},
        **{name: {"type": "str", "default": ""} for name in ("database", "at", "into", "engine")},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    if not Path(PROGRAM).exists():
        module.fail_json(msg=ABSENT)
    if module.check_mode:
        module.exit_json(changed=True, forgelab={}, sentences=[])
    status, printed, said = call(command(module.params))
    learned = told(module.params["state"], printed)
    if status:
        module.fail_json(msg=said or f"{PROGRAM} ended with status {status}", forgelab=learned)
    module.exit_json(changed=True, forgelab=learned, sentences=said.splitlines())


if __name__ == "__main__":
    main()
