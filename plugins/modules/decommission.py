#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Takes away what ForgeLab has put on a device for some components, and nothing else."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.files import ORIGINAL, Refused, Transaction, lstat
from ansible_collections.forgelab.homelab.plugins.module_utils.purge import (
    Failed,
    data_of,
    installed,
    keep,
    purge,
    run,
    spared,
)
from ansible_collections.forgelab.homelab.plugins.module_utils.units import look_at, systemctl

DOCUMENTATION = r"""
module: decommission
short_description: Take components away again
description:
  - Stops and disables their units, then removes their files. What stood at a path before ForgeLab
    (C(NAME.before-forgelab)) is put back.
  - Folders of configuration go where nothing is left in them, so that what a person put there stays.
  - Contents of files are never shown, since nobody knows whether an old one holds a secret.
author: ForgeLab
options:
  components:
    description: What to take away.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Name of the component., type: str, required: true}
      title: {description: Its name for people., type: str}
      units: {description: systemd units., type: list, elements: str, default: []}
      files: {description: Files and links., type: list, elements: path, default: []}
      directories: {description: Folders., type: list, elements: path, default: []}
  kept_units: {description: Units that are never touched., type: list, elements: str, default: []}
  packages: {description: Packages to remove with their data., type: list, elements: str, default: []}
  kept_packages:
    description: Packages that something else makes use of. They stay, and so does whatever they need themselves.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Take Redis away
  forgelab.homelab.decommission:
    components:
      - name: redis
        units: [redis-server.service]
        files: [/etc/redis/forgelab.conf]
"""

RETURN = r"""
stopped_units: {description: Units that were stopped., returned: always, type: list, elements: str}
disabled_units: {description: Units that were disabled., returned: always, type: list, elements: str}
removed_files: {description: Files and links that were removed., returned: always, type: list, elements: str}
restored_files: {description: Files that are again as before ForgeLab., returned: always, type: list, elements: str}
removed_directories: {description: Folders that were removed., returned: always, type: list, elements: str}
purged: {description: Packages that were removed., returned: always, type: list, elements: str}
spared: {description: Packages that stay since kept ones need them., returned: always, type: list, elements: str}
"""

# Folders of configuration; in others an empty folder may mean something to an application.
CONFIGURATION = ("/etc/", "/usr/local/lib/forgelab", "/var/log/forgelab")
# Which services must reload when files below a folder have gone while it runs: folder, unit, command.
READERS = (
    ("/etc/supervisor/", "supervisor.service", ["supervisorctl", "update"]),
    ("/etc/nginx/", "nginx.service", ["systemctl", "reload", "nginx.service"]),
)
RUNNING = ("active", "activating", "reloading", "deactivating", "failed")
ENABLED = ("enabled", "enabled-runtime")


def in_order(components: list[dict], kind: str) -> list[str]:
    """Every name once; what came last goes first."""
    return list(dict.fromkeys(name for item in reversed(components) for name in reversed(item[kind])))


def stop(units: list[str], dry: bool) -> tuple[list[str], list[str]]:
    """Stop and disable the units that the device has; which were stopped, which disabled."""
    states = look_at(units)
    stopped = [unit for unit in units if states.get(unit, {}).get("ActiveState") in RUNNING]
    disabled = [unit for unit in units if states.get(unit, {}).get("UnitFileState") in ENABLED]
    if not dry:
        for unit in stopped:
            run(["systemctl", "stop", unit], f"{unit} could not be stopped")
            systemctl(["reset-failed", unit])
        for unit in disabled:
            run(["systemctl", "disable", "--quiet", unit], f"{unit} could not be disabled")
    return stopped, disabled


def take_away(transaction: Transaction, files: list[str]) -> list[str]:
    """Remove files and links; returns those at whose place the original stands again."""
    restored = []
    for name in files:
        path, original = Path(name), Path(name + ORIGINAL)
        if lstat(path) is None:
            continue
        transaction.absent(path)
        if lstat(original) is not None:
            restored.append(name)
            if not transaction.dry:
                original.rename(path)
    return restored


def left_empty(directories: list[str], gone: list[str]) -> list[str]:
    """Those folders of configuration in which nothing is left once `gone` has gone, deepest first."""
    empty: list[str] = []
    for name in sorted(directories, key=len, reverse=True):
        path = Path(name)
        if not name.startswith(CONFIGURATION) or path.is_symlink() or not path.is_dir():
            continue
        if all(str(entry) in {*gone, *empty} for entry in path.iterdir()):
            empty.append(name)
    return empty


def tell_readers(files: list[str]) -> None:
    """Have those that go on running forget the files."""
    if any(name.startswith("/etc/systemd/") for name in files):
        systemctl(["daemon-reload"])
    for folder, unit, command in READERS:
        touched = any(name.startswith(folder) for name in files)
        if touched and look_at([unit]).get(unit, {}).get("ActiveState") == "active":
            run(command, f"{unit} could not be reloaded")


def main() -> None:
    """Entry point on the device."""
    names = {"type": "list", "elements": "str", "default": []}
    paths = {"type": "list", "elements": "path", "default": []}
    component = {
        "name": {"type": "str", "required": True},
        "title": {"type": "str"},
        "units": names,
        "files": paths,
        "directories": paths,
    }
    spec = {
        "components": {"type": "list", "elements": "dict", "default": [], "options": component},
        "kept_units": names,
        "packages": names,
        "kept_packages": names,
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    components, dry = module.params["components"], module.check_mode
    units = [unit for unit in in_order(components, "units") if unit not in module.params["kept_units"]]
    transaction = Transaction(dry=dry)
    stopped: list[str] = []
    try:
        stopped, disabled = stop(units, dry)
        restored = take_away(transaction, in_order(components, "files"))
        removed = [path for path in transaction.changed if path not in restored]
        empty = left_empty(in_order(components, "directories"), removed)
        there, kept = installed(module.params["packages"]), module.params["kept_packages"]
        needed = spared(there, kept)
        packages = [package for package in there if package not in needed]
        data = data_of(packages)
        if not dry:
            for name in empty:
                Path(name).rmdir()
            tell_readers(transaction.changed)
            if packages:
                keep([*kept, *needed])
                purge(packages)
    except (Refused, Failed, OSError) as problem:
        module.fail_json(msg=f"{problem}\nWhat was taken away before stays so. Run it again once that is put right.")
    told = {
        "stopped_units": stopped,
        "disabled_units": disabled,
        "removed_files": removed,
        "restored_files": restored,
        "removed_directories": [*empty, *data],
        "purged": packages,
    }
    module.exit_json(changed=any(told.values()), spared=needed, **told)


if __name__ == "__main__":
    main()
