#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""One call for everything that a role writes to a device, taken back as a whole when it is refused."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.files import Refused, Transaction, lstat
from ansible_collections.forgelab.homelab.plugins.module_utils.units import UnitFailed, ensure_units, unread_units
from ansible_collections.forgelab.homelab.plugins.module_utils.validation import ValidationFailed, validate

DOCUMENTATION = r"""
module: config_files
short_description: Write a role's folders, files and links in one transaction
description:
  - Renders the templates of the calling role on the controller and brings every folder, file and link of one task
    into place with a single call on the device.
  - When something changed, the commands in O(validate) are run after everything is in place. If one of them fails,
    everything is put back as it was and the task fails with the command's output.
  - A file is written beside its destination, synced and renamed over it, so no program ever reads half a file.
    A destination that is a symbolic link is replaced, never followed.
  - A file that does not say C(Managed by ForgeLab) is kept beside its replacement as C(NAME.before-forgelab), once.
author: ForgeLab
options:
  directories:
    description: Folders. Missing parents are made for root with mode 0755. A link to a folder made by root is left.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      owner: {description: Name of the owning user., type: str, default: root}
      group: {description: Name of the owning group., type: str, default: root}
      mode: {description: Octal mode., type: str, default: "0755"}
      creates: {description: The folder is left alone if something stands at this path., type: path}
  files:
    description: Files. Each has either O(files[].src) or O(files[].content).
    type: list
    elements: dict
    default: []
    suboptions:
      src: {description: A template of the calling role (or beside the playbook, or an absolute path)., type: str}
      content: {description: The text itself., type: str}
      dest: {description: Absolute path on the device., type: path, required: true}
      owner: {description: Name of the owning user., type: str, default: root}
      group: {description: Name of the owning group., type: str, default: root}
      mode: {description: Octal mode., type: str, default: "0644"}
      force: {description: V(false) writes the file only where nothing stands yet., type: bool, default: true}
      secret: {description: The content never shows in a diff, a result or a log., type: bool, default: false}
      creates: {description: The file is left alone if something stands at this path., type: path}
  links:
    description: Symbolic links.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path of the link., type: path, required: true}
      target: {description: What it points to., type: str, required: true}
      force: {description: V(false) makes the link only where nothing stands yet., type: bool, default: true}
      creates: {description: The link is left alone if something stands at this path., type: path}
  absent:
    description: Files and links that must not be there. A folder is refused.
    type: list
    elements: path
    default: []
  validate:
    description: Commands (no shell) that must succeed after a change.
    type: list
    elements: str
    default: []
  units:
    description: systemd units that are enabled and started where they are not, after the files are in place.
    type: list
    elements: str
    default: []
  read_by:
    description:
      - systemd units that read these files at start and reload.
      - If one of them runs with a configuration older than the newest file, because an earlier run was cut off before
        its handlers, the task counts as changed, so that its handlers run now.
    type: list
    elements: str
    default: []
  look_for:
    description: Patterns of paths (shell style) that are only looked for; RV(found) lists which there are.
    type: list
    elements: str
    default: []
  contents:
    description: The rendered texts by number of the file, as JSON. Set by the action plugin, not by hand.
    type: str
"""

EXAMPLES = r"""
- name: Configure nginx
  forgelab.homelab.config_files:
    directories:
      - {path: /etc/nginx/forgelab.d/shop}
    files:
      - {src: nginx.conf.j2, dest: /etc/nginx/nginx.conf}
      - {content: "{{ nginx_htpasswd }}", dest: /etc/nginx/htpasswd, mode: "0640", group: www-data, secret: true}
    links:
      - {path: /etc/nginx/sites-enabled/shop, target: ../sites-available/shop}
    absent: [/etc/nginx/sites-enabled/default]
    validate: [nginx -t]
    units: [nginx.service]
    read_by: [nginx.service]
  notify: Reload nginx
"""

RETURN = r"""
changed_files:
  description: Paths that were changed (or would be, in check mode).
  returned: always
  type: list
  elements: str
started_units:
  description: Units that were started, and so have read what is in place now.
  returned: always
  type: list
  elements: str
enabled_units:
  description: Units that were only enabled, since they were running already.
  returned: always
  type: list
  elements: str
unread_units:
  description: Units of O(read_by) that were running with an older configuration.
  returned: always
  type: list
  elements: str
found:
  description: What there is of O(look_for), before any change - each path with the target of the link it is, or "".
  returned: always
  type: dict
managed:
  description: What this task looks after, changed or not - C(files) (links too), C(directories) and C(units).
  returned: always
  type: dict
"""


class Interrupted(Exception):
    """The run was ended while files were being changed."""


def argument_spec() -> dict:
    """Ansible's argument spec of the module: the options documented above."""
    owned = {
        "owner": {"type": "str", "default": "root"},
        "group": {"type": "str", "default": "root"},
        "creates": {"type": "path"},
    }
    force = {"type": "bool", "default": True}
    directory = {"path": {"type": "path", "required": True}, "mode": {"type": "str", "default": "0755"}, **owned}
    file = {
        "src": {"type": "str"},
        "content": {"type": "str", "no_log": True},
        "dest": {"type": "path", "required": True},
        "mode": {"type": "str", "default": "0644"},
        "force": force,
        "secret": {"type": "bool", "default": False, "no_log": False},
        **owned,
    }
    link = {
        "path": {"type": "path", "required": True},
        "target": {"type": "str", "required": True},
        "creates": {"type": "path"},
        "force": force,
    }
    return {
        "directories": {"type": "list", "elements": "dict", "default": [], "options": directory},
        "files": {"type": "list", "elements": "dict", "default": [], "options": file},
        "links": {"type": "list", "elements": "dict", "default": [], "options": link},
        "absent": {"type": "list", "elements": "path", "default": []},
        "validate": {"type": "list", "elements": "str", "default": []},
        "units": {"type": "list", "elements": "str", "default": []},
        "read_by": {"type": "list", "elements": "str", "default": []},
        "look_for": {"type": "list", "elements": "str", "default": []},
        "contents": {"type": "str", "no_log": True},
    }


def apply(transaction: Transaction, params: dict, contents: list[bytes]) -> None:
    """Bring folders, files and links of the task into place, in that order."""
    there = {item["creates"] for kind in ("directories", "files", "links") for item in params[kind] if item["creates"]}
    there = {path for path in there if lstat(Path(path))}
    for item in params["directories"]:
        if item["creates"] not in there:
            transaction.directory(Path(item["path"]), item["owner"], item["group"], item["mode"])
    for item, content in zip(params["files"], contents, strict=True):
        if item["creates"] not in there:
            transaction.file(
                Path(item["dest"]),
                content,
                item["owner"],
                item["group"],
                item["mode"],
                force=item["force"],
                secret=item["secret"],
            )
    for item in params["links"]:
        if item["creates"] not in there:
            transaction.link(Path(item["path"]), item["target"], force=item["force"])
    for path in params["absent"]:
        transaction.absent(Path(path))


def managed(params: dict) -> dict[str, list[str]]:
    """What is ForgeLab's of it and may be taken away again: not what it only makes where nothing stands yet."""
    own = {
        kind: [item for item in params[kind] if item.get("force", True) and not item["creates"]]
        for kind in ("directories", "files", "links")
    }
    files = [item["dest"] for item in own["files"]] + [item["path"] for item in own["links"]]
    return {"files": files, "directories": [item["path"] for item in own["directories"]], "units": params["units"]}


def newest(params: dict) -> float:
    """When the newest managed file was written, in seconds since the epoch (0 for none)."""
    managed = [lstat(Path(item["dest"])) for item in params["files"] if item["force"] and not item["creates"]]
    return max((found.st_mtime for found in managed if found), default=0.0)


def look_for(patterns: list[str]) -> dict[str, str]:
    """Paths that match, links with their targets."""
    paths = [path for pattern in patterns for path in sorted(Path("/").glob(pattern.lstrip("/")))]
    return {str(path): str(path.readlink()) if path.is_symlink() else "" for path in paths}


def raise_interrupted(number: int, _frame: object) -> None:
    """Turn a signal into an exception, so that half a change is put back."""
    raise Interrupted(f"the run was ended by signal {number}")


def main() -> None:
    """Entry point on the device."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    contents = [text.encode("utf-8") for text in json.loads(params["contents"] or "[]")]
    secrets = [text.decode("utf-8") for item, text in zip(params["files"], contents, strict=True) if item["secret"]]
    os.umask(0o022)
    found = look_for(params["look_for"])
    stale = unread_units(params["read_by"], newest(params))
    transaction = Transaction(dry=module.check_mode)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, raise_interrupted)
    try:
        apply(transaction, params, contents)
        if (transaction.changed or stale) and not module.check_mode:
            validate(params["validate"], secrets)
        units = ensure_units(params["units"], module.check_mode, changed=transaction.changed)
    except (Refused, ValidationFailed, UnitFailed, Interrupted, OSError) as problem:
        transaction.roll_back()
        changed = f"\nEverything this task had changed was put back: {', '.join(transaction.changed)}."
        module.fail_json(
            msg=f"{str(problem).strip()}{changed if transaction.changed and not module.check_mode else ''}"
        )
    module.exit_json(
        changed=bool(transaction.changed or units or stale),
        changed_files=transaction.changed,
        started_units=[unit for unit, actions in units.items() if "start" in actions],
        enabled_units=[unit for unit, actions in units.items() if actions == ["enable"]],
        unread_units=stale,
        found=found,
        managed=managed(params),
        diff=transaction.diffs if module._diff else [],
    )


if __name__ == "__main__":
    main()
