#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Vendors' package repositories: key, address and pin, each tried before anything is written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.files import Refused, Transaction
from ansible_collections.forgelab.homelab.plugins.module_utils.locks import locked_by
from ansible_collections.forgelab.homelab.plugins.module_utils.trial import PrivateApt, VendorFailed, cause
from ansible_collections.forgelab.homelab.plugins.module_utils.vendors import (
    KEYRINGS,
    described,
    is_name,
    key_path,
    parse_preferences,
    preferences_path,
    preferences_text,
    source_problems,
    sources_path,
    sources_text,
)

DOCUMENTATION = r"""
module: vendor_repositories
short_description: Add package repositories whose key is pinned by its fingerprint
description:
  - Tries each new or changed repository in an apt of its own first. A key with another fingerprint, a bad signature, an
    expired index or a host that does not answer end the task with nothing changed.
  - Writes the key, a deb822 source that trusts only this key, and preferences by which only the named packages come
    from there. What is in place already is recognised without asking the network.
author: ForgeLab
options:
  sources:
    description: Repositories that are to be there.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Short name; the files are called after it., type: str, required: true}
      title: {description: Name for people., type: str, required: true}
      url: {description: Address of the repository or of a mirror., type: str, required: true}
      suite: {description: Suite., type: str, required: true}
      components: {description: Components; none for a flat repository., type: list, elements: str, default: [main]}
      key_url: {description: Where its public key is., type: str, required: true}
      fingerprints: {description: Fingerprints of the keys that are trusted., type: list, elements: str, required: true}
      packages: {description: Patterns of the packages that come from there., type: list, elements: str, required: true}
  absent:
    description: Names of repositories that are not to be there. Only files that this module wrote are removed.
    type: list
    elements: str
    default: []
  lock_wait_seconds: {description: How long to wait for another package manager., type: int, default: 120}
"""

EXAMPLES = r"""
- name: Set up the vendors' repositories
  forgelab.homelab.vendor_repositories:
    sources:
      - name: example
        title: packages.example.org
        url: https://packages.example.org/php
        suite: bookworm
        key_url: https://packages.example.org/php/apt.gpg
        fingerprints: [0123456789ABCDEF0123456789ABCDEF01234567]
        packages: [php8.3, php8.3-*, php-common]
"""

RETURN = r"""
changed_files: {description: Paths that were changed., returned: always, type: list, elements: str}
"""

UPDATE_SECONDS = 300


def read(path: Path) -> str:
    """Text of a file, empty when it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def in_place(source: dict) -> bool:
    """Whether the device has this very source already, with a key beside it."""
    _, pin = parse_preferences(read(preferences_path(source["name"])))
    return (
        read(key_path(source["name"])) != ""
        and read(sources_path(source["name"])) == sources_text(source, key_path(source["name"]))
        and read(preferences_path(source["name"])) == preferences_text(source, pin)
    )


def write(transaction: Transaction, source: dict, key: str, pin: str) -> None:
    """The three files, the address last: apt never sees it without its key."""
    name = source["name"]
    texts = {
        key_path(name): key,
        preferences_path(name): preferences_text(source, pin),
        sources_path(name): sources_text(source, key_path(name)),
    }
    if not KEYRINGS.is_dir():
        transaction.directory(KEYRINGS, "root", "root", "0755")
    for path, text in texts.items():
        if not (transaction.dry and not path.parent.is_dir()):
            transaction.file(path, text.encode("utf-8"), "root", "root", "0644", force=True, secret=False)


def update(source: dict) -> None:
    """Let apt read the index of this source alone. Raises VendorFailed."""
    only = ["-o", f"Dir::Etc::sourcelist={sources_path(source['name'])}", "-o", "Dir::Etc::sourceparts=/dev/null"]
    done = subprocess.run(
        ["apt-get", "update", "-q", "--error-on=any", *only, "-o", "APT::Get::List-Cleanup=false"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=UPDATE_SECONDS,
        check=False,
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode:
        raise VendorFailed(f"{described(source)} cannot be used: {cause(done.stderr)}")


def wait_for_lock(seconds: int) -> None:
    """Raises VendorFailed when another package manager does not end."""
    held = locked_by(seconds)
    if held:
        raise VendorFailed(
            f"Another package manager (process {held[1]}) still holds {held[0]}: wait for it, then run again"
        )


def apply(transaction: Transaction, sources: list[dict], absent: list[str], lock_wait: int) -> None:
    """Everything or nothing: the caller rolls back what was changed before a failure."""
    for name in absent:
        for path in (sources_path(name), preferences_path(name), key_path(name)):
            transaction.absent(path)
    changed = [source for source in sources if not in_place(source)]
    with PrivateApt() as trial:
        texts = [trial.add(source) for source in changed]
    for source, (key, pin) in zip(changed, texts, strict=True):
        write(transaction, source, key, pin)
    if changed and not transaction.dry:
        wait_for_lock(lock_wait)
        for source in changed:
            update(source)


def argument_spec() -> dict:
    """Ansible's argument spec of the module: the options documented above."""
    texts = {name: {"type": "str", "required": True} for name in ("name", "title", "url", "suite")}
    lists = {name: {"type": "list", "elements": "str", "required": True} for name in ("fingerprints", "packages")}
    components = {"type": "list", "elements": "str", "default": ["main"]}
    key_url = {"type": "str", "required": True, "no_log": False}
    options = {**texts, **lists, "components": components, "key_url": key_url}
    return {
        "sources": {"type": "list", "elements": "dict", "default": [], "options": options},
        "absent": {"type": "list", "elements": "str", "default": []},
        "lock_wait_seconds": {"type": "int", "default": 120},
    }


def main() -> None:
    """Entry point on the device."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    os.umask(0o022)
    wrong = [text for source in params["sources"] for text in source_problems(source)]
    wrong += [f"repositories_absent: {name!r} is not a name." for name in params["absent"] if not is_name(name)]
    if wrong:
        module.fail_json(msg="\n".join(wrong))
    transaction = Transaction(dry=module.check_mode)
    try:
        apply(transaction, params["sources"], params["absent"], params["lock_wait_seconds"])
    except (VendorFailed, Refused, OSError, subprocess.TimeoutExpired) as problem:
        transaction.roll_back()
        module.fail_json(msg=f"{str(problem).rstrip('.')}. Nothing was changed.")
    module.exit_json(
        changed=bool(transaction.changed),
        changed_files=transaction.changed,
        diff=transaction.diffs if module._diff else [],
    )


if __name__ == "__main__":
    main()
