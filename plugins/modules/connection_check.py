#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Proof that this device can use what it needs on other devices, by logging in there."""

from __future__ import annotations

import importlib.util
import time
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.logins import (
    DRIVERS,
    LOGINS,
    TITLES,
    Peer,
    Unusable,
    own_address,
    reachable,
)

DOCUMENTATION = r"""
module: connection_check
short_description: Log in to databases and caches on other devices
description:
  - Logs in to each (PostgreSQL, MySQL, MariaDB with user, password and database; Redis with AUTH and PING; Memcached
    with SASL, or without a password by asking for its version). Changes nothing, in check mode neither.
  - Fails with one sentence for each that cannot be used, naming address, port, the reason and what to do.
  - In check mode, a client that is not installed yet is made up for by a connection without login.
author: ForgeLab
options:
  connections:
    description: What to log in to.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Name in messages and among the passwords., type: str, required: true}
      kind: {description: "postgresql, mysql, mariadb, redis or memcached.", type: str, required: true}
      address: {description: Address or host name., type: str, required: true}
      port: {description: TCP port., type: int, required: true}
      user: {description: User., type: str, default: ""}
      database: {description: Database., type: str, default: ""}
      remedy: {description: What to do when it does not work., type: str, default: ""}
  passwords: {description: Passwords by connection., type: dict, default: {}}
  timeout_seconds: {description: How long one connection may take., type: int, default: 5}
"""

EXAMPLES = r"""
- name: Log in to the database
  forgelab.homelab.connection_check:
    connections:
      - {name: database, kind: postgresql, address: 192.168.1.12, port: 5432, user: shop_user, database: shop}
    passwords: {database: "{{ the_password }}"}
"""

RETURN = r"""
usable: {description: Names of the connections that were proved., returned: always, type: list, elements: str}
"""

PATIENCE_SECONDS = 10  # a server that restarts refuses for a moment
TOGETHER = 8


def prove(peer: Peer, seconds: int, check_mode: bool) -> Unusable | None:
    """Why the peer cannot be used; None when it can."""
    if peer.kind not in LOGINS:
        known = ", ".join(TITLES)
        return Unusable(f"it is of the kind {peer.kind or '(none)'}, which cannot be logged in to; known are {known}")
    driver = DRIVERS.get(peer.kind)
    installed = driver is None or importlib.util.find_spec(driver) is not None
    if not installed and not check_mode:
        return Unusable(f"the Python module {driver} is not installed; run the role without --skip-tags standalone")
    login = LOGINS[peer.kind] if installed else reachable
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            login(peer, seconds)
        except Unusable as problem:
            if not problem.soon or time.monotonic() > deadline:
                return problem
        else:
            return None
        time.sleep(1)


def sentence(peer: Peer, problem: Unusable, remedy: str) -> str:
    """The whole of it: which connection, why it fails, what to do."""
    if not remedy and problem.shut:
        remedy = f"Allow {own_address(peer) or 'this device'} there, then run this again."
    return f"{peer.name}: {problem}. {remedy}".rstrip()


def main() -> None:
    """Entry point on the device."""
    text = {"type": "str", "required": True}
    connection = {
        "name": text,
        "kind": text,
        "address": text,
        "port": {"type": "int", "required": True},
        "user": {"type": "str", "default": ""},
        "database": {"type": "str", "default": ""},
        "remedy": {"type": "str", "default": ""},
    }
    spec = {
        "connections": {"type": "list", "elements": "dict", "default": [], "options": connection},
        "passwords": {"type": "dict", "default": {}, "no_log": True},
        "timeout_seconds": {"type": "int", "default": 5},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    seconds, passwords = module.params["timeout_seconds"], module.params["passwords"]
    wanted = module.params["connections"]
    peers = [
        Peer(**{key: each[key] for key in each if key != "remedy"}, password=str(passwords.get(each["name"]) or ""))
        for each in wanted
    ]
    with ThreadPoolExecutor(max_workers=TOGETHER) as pool:
        found = list(pool.map(lambda peer: prove(peer, seconds, module.check_mode), peers))
    faults = [sentence(peer, why, each["remedy"]) for peer, each, why in zip(peers, wanted, found, strict=True) if why]
    usable = [peer.name for peer, why in zip(peers, found, strict=True) if not why]
    if faults:
        module.fail_json(msg=" ".join(faults), usable=usable)
    module.exit_json(changed=False, usable=usable)


if __name__ == "__main__":
    main()
