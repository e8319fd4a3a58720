#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""The device's default PHP, and versions that a server has let go of."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.fpm import (
    StillUsed,
    end,
    is_running,
    refuse_if_named,
    removable,
    wait_until_unused,
)

DOCUMENTATION = r"""
module: php_switch
short_description: Switch the default PHP, and end or remove versions no longer wanted
description:
  - Points C(php), C(phar) and C(phar.phar) at a version with C(update-alternatives).
  - PHP-FPM of a version no longer wanted is ended when no web server's configuration names its socket, nginx has read
    that configuration and the last request is answered. Otherwise it goes on, and a warning says why.
author: ForgeLab
options:
  default: {description: Version of the command C(php)., type: str, required: true}
  stop: {description: Versions whose PHP-FPM is disabled and stopped; its packages stay.,
         type: list, elements: str, default: []}
  purge: {description: Versions whose packages are removed as well unless another package needs them.,
          type: list, elements: str, default: []}
  wait_seconds: {description: How long a request may take that a version is still at., type: int, default: 80}
"""

EXAMPLES = r"""
- name: Switch to PHP 8.4
  forgelab.homelab.php_switch:
    default: "8.4"
    stop: ["8.2"]
"""

RETURN = r"""
switched: {description: Commands that point at another version now., returned: always, type: list, elements: str}
stopped: {description: Versions whose PHP-FPM was let go., returned: always, type: list, elements: str}
purged: {description: Packages that were removed., returned: always, type: list, elements: str}
"""

COMMANDS = ("php", "phar", "phar.phar")
# What ForgeLab wrote for a version's FPM; it goes last, so that a cut-off run is noticed by the next one.
FPM_FILES = (
    "/etc/php/{version}/fpm/conf.d/99-forgelab.ini",
    "/etc/logrotate.d/forgelab-php{dashed}",
    "/etc/php/{version}/fpm/pool.d/zz-forgelab.conf",
)
CLI_FILE = "/etc/php/{version}/cli/conf.d/99-forgelab.ini"
APT = ("apt-get", "--yes", "--quiet", "-o", "DPkg::Lock::Timeout=120")


def run(*command: str) -> str:
    """Output of a program. Raises CalledProcessError, with its output."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


def points_at(link: Path, path: str) -> bool:
    """Whether `link` is a symbolic link to `path`."""
    return link.is_symlink() and str(link.readlink()) == path


def wrong_commands(version: str) -> dict[str, str]:
    """Commands that point at another version, with the program they should point at."""
    wanted = {name: f"/usr/bin/{name}{version}" for name in COMMANDS}
    return {
        name: path
        for name, path in wanted.items()
        if (name == "php" or Path(path).exists()) and not points_at(Path("/etc/alternatives") / name, path)
    }


def point_at(name: str, path: str, version: str) -> None:
    """Let the command be this program, also where its package has not offered it to update-alternatives."""
    try:
        run("update-alternatives", "--set", name, path)
    except subprocess.CalledProcessError:
        run("update-alternatives", "--install", f"/usr/bin/{name}", name, path, version.replace(".", ""))
        run("update-alternatives", "--set", name, path)


def let_go(version: str, wait_seconds: int) -> None:
    """End the version's PHP-FPM, then remove what ForgeLab wrote for it. Raises StillUsed."""
    if is_running(version):
        refuse_if_named(version)
        wait_until_unused(version, wait_seconds)
    end(version, wait_seconds)
    for template in FPM_FILES:
        Path(template.format(version=version, dashed=version.replace(".", "-"))).unlink(missing_ok=True)


def installed(version: str) -> list[str]:
    """The version's packages on this device."""
    shown = run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n", "php*")
    rows = [line.split() for line in shown.splitlines()]
    return [name for status, name in rows if status == "installed" and name.startswith(f"php{version}-")]


def purge(version: str) -> list[str]:
    """Remove the version's packages but those that others need. What is left counts as installed for their sake."""
    names = installed(version)
    gone: list[str] = []
    if names:
        run("apt-mark", "auto", *names)
        gone = removable(run("apt-get", "--simulate", "autoremove"), names)
    if gone:
        run(*APT, "purge", *gone)
    Path(CLI_FILE.format(version=version)).unlink(missing_ok=True)
    return gone


def plan(params: dict, switched: dict[str, str]) -> list[dict[str, str]]:
    """What is about to change, as Ansible's --diff shows it."""
    lines = [f"{name} runs {path}" for name, path in switched.items()]
    lines += [f"PHP-FPM {version} is stopped and disabled" for version in params["stop"]]
    lines += [f"packages of PHP {version} are removed unless others need them" for version in params["purge"]]
    return [{"before": "", "after": "".join(f"{line}\n" for line in lines), "after_header": "PHP versions"}]


def main() -> None:
    """Entry point on the device."""
    versions = {"type": "list", "elements": "str", "default": []}
    spec = {
        "default": {"type": "str", "required": True},
        "stop": versions,
        "purge": versions,
        "wait_seconds": {"type": "int", "default": 80},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    params = module.params
    switched = wrong_commands(params["default"])
    stopped, purged, kept = [], [], []
    diff = plan(params, switched) if module._diff else []
    if module.check_mode:
        changed = bool(switched or params["stop"] or params["purge"])
        module.exit_json(changed=changed, switched=list(switched), stopped=params["stop"], purged=[], diff=diff)
    try:
        for name, path in switched.items():
            point_at(name, path, params["default"])
        for version in params["stop"]:
            try:
                let_go(version, params["wait_seconds"])
                stopped.append(version)
            except StillUsed as reason:
                kept.append(version)
                module.warn(str(reason))
        for version in params["purge"]:
            if version not in kept:
                purged += purge(version)
    except subprocess.CalledProcessError as problem:
        said = f"{problem.stderr or ''}{problem.stdout or ''}".strip()
        module.fail_json(msg=f"`{' '.join(map(str, problem.cmd))}` failed: {said}")
    changed = bool(switched or stopped or purged or [v for v in params["purge"] if v not in kept])
    module.exit_json(changed=changed, switched=list(switched), stopped=stopped, purged=purged, diff=diff)


if __name__ == "__main__":
    main()
