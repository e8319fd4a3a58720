#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Versions of installed programs, asked of the programs themselves."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: installed_versions
short_description: Ask programs for their versions
description:
  - Runs each command (no shell) and reads the version from its output. Never changes anything, never fails because of
    a program that is missing or silent.
author: ForgeLab
options:
  reports:
    description: What to ask.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Key of the component., type: str, required: true}
      title: {description: Its name for people., type: str}
      command: {description: Program and arguments., type: list, elements: str, required: true}
      pattern: {description: Regular expression; its first group (or the whole match) is the version., type: str}
"""

EXAMPLES = r"""
- name: Ask for the versions
  forgelab.homelab.installed_versions:
    reports:
      - {name: nginx, title: Nginx, command: [nginx, -v]}
"""

RETURN = r"""
forgelab:
  description: Key C(versions) - a list of name, title, version (null when unknown) and reason.
  returned: always
  type: dict
"""

VERSION = r"(\d+(?:\.\d+)+)"
TIMEOUT_SECONDS = 20
TOGETHER = 4


def read_version(output: str, pattern: str | None) -> str | None:
    """Version in a program's output, None when there is none. Raises re.error for a wrong pattern."""
    match = re.search(pattern or VERSION, output)
    if not match:
        return None
    return match.group(1) if match.re.groups else match.group()


def ask(report: dict) -> dict:
    """One entry of the result."""
    entry = {"name": report["name"], "title": report.get("title") or report["name"], "version": None, "reason": None}
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "COMPOSER_ALLOW_SUPERUSER": "1", "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            report["command"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
            env=environment,
            cwd="/",
        )
        entry["version"] = read_version(done.stdout, report.get("pattern"))
    except FileNotFoundError:
        entry["reason"] = f"{report['command'][0]} is not installed"
    except (OSError, subprocess.TimeoutExpired, re.error) as problem:
        entry["reason"] = f"{report['command'][0]}: {problem}"
    else:
        if entry["version"] is None:
            entry["reason"] = f"no version in the output of {report['command'][0]}"
    return entry


def main() -> None:
    """Entry point on the device."""
    report = {
        "name": {"type": "str", "required": True},
        "title": {"type": "str"},
        "command": {"type": "list", "elements": "str", "required": True},
        "pattern": {"type": "str"},
    }
    spec = {"reports": {"type": "list", "elements": "dict", "default": [], "options": report}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    with ThreadPoolExecutor(max_workers=TOGETHER) as pool:
        versions = list(pool.map(ask, module.params["reports"]))
    module.exit_json(changed=False, forgelab={"versions": versions})


if __name__ == "__main__":
    main()
