#!/usr/bin/python
# Copyright: ForgeLab contributors. MIT license.
"""Ports opened with ufw, all in one call, without cutting off the connection it came through."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.forgelab.homelab.plugins.module_utils.ports import listeners, owners, process_name
from ansible_collections.forgelab.homelab.plugins.module_utils.ufw import (
    Rule,
    arguments,
    denied_ssh,
    missing_rules,
    parse_added,
    parse_own,
    stale_rules,
    wanted_rules,
)
from ansible_collections.forgelab.homelab.plugins.module_utils.units import ensure_units

DOCUMENTATION = r"""
module: firewall
short_description: Open ports with ufw and refuse the rest
description:
  - Adds the rules that are missing, sets the policy for incoming connections to deny, then enables ufw.
  - The port of the SSH connection in use and every port of sshd are allowed before ufw is enabled.
  - Rules made by hand stay, and a hand-made rule for the same port (deny, limit, another source) is left to decide.
  - Of a port in O(allowed), rules that this module once made (their comment is C(ForgeLab)) and that are not wanted any
    more are deleted, so that a port is never open to more than those it is open to now.
author: ForgeLab
options:
  allowed:
    description: Ports to open.
    type: list
    elements: dict
    default: []
    suboptions:
      port: {description: "Port, or a range such as 6000:6010.", type: str, required: true}
      proto: {description: Protocol., type: str, choices: [tcp, udp], default: tcp}
      from:
        description: Addresses or networks that may connect. Without it everybody may, with an empty list nobody.
        type: list
        elements: str
  closed:
    description:
      - Ports that were opened here before, such as C(6379/tcp). Their rules made by this module are deleted unless
        O(allowed) still wants them.
    type: list
    elements: str
    default: []
  enabled: {description: Enable ufw., type: bool, default: true}
  state:
    description: With V(absent) ufw is turned off, unless rules of this module's for other ports than SSH's are left.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Open the web ports
  forgelab.homelab.firewall:
    allowed:
      - {port: 80}
      - {port: 5432, from: [192.168.1.20]}
"""

RETURN = r"""
commands: {description: Arguments of the calls of ufw., returned: always, type: list, elements: str}
closed: {description: Listening ports that nobody can reach any more., returned: always, type: list, elements: str}
managed: {description: The C(ports) that this module looks after for the caller., returned: always, type: dict}
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program, its messages in English."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment
    )


def connection_port(pid: int) -> str | None:
    """Port of the SSH connection that process `pid` came through, from its ancestors (sudo hides it from itself)."""
    while pid > 1:
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return None
        for entry in environment:
            if entry.startswith(b"SSH_CONNECTION="):
                return entry.split()[-1].decode()
        pid = int(re.search(r"^PPid:\s+(\d+)", status, re.M).group(1))
    return None


def ssh_ports() -> set[str]:
    """Ports through which this device is reached by SSH."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    configured = re.findall(r"^port (\d+)$", run(program, "-T").stdout, re.M) if program else []
    in_use = connection_port(os.getpid())
    return {*configured, *([in_use] if in_use else [])}


def is_active(ufw: str) -> bool:
    """Whether the firewall is on; ufw itself (a slow program) is asked only when its own signs are not all there."""
    iptables = shutil.which("iptables", path="/usr/sbin:/sbin")
    configured = "ENABLED=yes" in Path("/etc/ufw/ufw.conf").read_text()
    if configured and iptables and run(iptables, "--list-rules", "ufw-user-input", "1").returncode == 0:
        return True
    return "Status: active" in run(ufw, "status").stdout


def closed_ports(rules: list[Rule]) -> list[str]:
    """Listening TCP ports that no rule lets anybody reach, with the process: `8123 (python3)`."""
    ranges = [[int(end) for end in part.split(":")] for rule in rules for part in rule.port.split(",") if part]
    listening = listeners(loopback=False)
    shut = [port for port in sorted(listening) if not any(limits[0] <= port <= limits[-1] for limits in ranges)]
    return [f"{port} ({', '.join(sorted({process_name(pid) for pid in owners(listening[port])}))})" for port in shut]


def plan(
    params: dict, present: list[Rule], active: bool, policy: str, own: list[Rule]
) -> tuple[list[list[str]], list[Rule]]:
    """Calls of ufw to make, in order, and the rules there will be. Raises ValueError with a sentence.

    `own` are those of the present rules that this module made.
    """
    ports = ssh_ports()
    blocked = denied_ssh(present, ports)
    if blocked and not active:
        raise ValueError(
            f"A rule made by hand denies port {blocked}, which SSH uses here: enabling the firewall would cut "
            f"this device off. Remove it on the device with `ufw delete deny {blocked}`, then run again."
        )
    ssh = [Rule("allow", port, "tcp", "") for port in sorted(ports)]
    wanted = [*ssh, *wanted_rules(params["allowed"])]
    stale = stale_rules(params["allowed"], params["closed"], wanted, own)
    staying = [rule for rule in present if rule not in stale]
    missing = missing_rules(wanted, staying, ports, active)
    calls = [arguments(rule) for rule in missing] + [["delete", *arguments(rule)[:-2]] for rule in stale]
    if policy not in ("DROP", "REJECT"):
        calls.append(["default", "deny", "incoming"])
    if params["enabled"] and not active:
        calls.append(["--force", "enable"])
    return calls, [*staying, *missing]


def absent_plan(params: dict, active: bool, own: list[Rule]) -> list[list[str]]:
    """Calls of ufw that take away what was opened before, and ufw's work too when nobody else's rules are left."""
    ports = ssh_ports()
    stale = [rule for rule in stale_rules([], params["closed"], [], own) if rule.port not in ports]
    left = [rule for rule in own if rule not in stale and rule.port not in ports]
    calls = [["delete", *arguments(rule)[:-2]] for rule in stale]
    return [*calls, ["disable"]] if active and not left else calls


def main() -> None:
    """Entry point on the device."""
    allowed = {
        "port": {"type": "str", "required": True},
        "proto": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
        "from": {"type": "list", "elements": "str"},
    }
    spec = {
        "allowed": {"type": "list", "elements": "dict", "default": [], "options": allowed},
        "closed": {"type": "list", "elements": "str", "default": []},
        "enabled": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    ufw = shutil.which("ufw", path="/usr/sbin:/usr/bin:/sbin")
    nothing_wanted = module.params["state"] == "absent" or not (module.params["allowed"] or module.params["enabled"])
    if not ufw and nothing_wanted:
        module.exit_json(changed=False, commands=[], closed=[], managed={"ports": []})
    if not ufw and not module.check_mode:
        module.fail_json(msg="ufw is not on this device: install the package ufw.")
    defaults = Path("/etc/default/ufw").read_text() if ufw else 'DEFAULT_INPUT_POLICY="DROP"'
    policy = re.search(r'^DEFAULT_INPUT_POLICY="?(\w+)', defaults, re.M)
    active = bool(ufw) and is_active(ufw)
    added = run(ufw, "show", "added").stdout if ufw else ""
    present, own, rules = parse_added(added), parse_own(added), []
    try:
        if module.params["state"] == "absent":
            calls = absent_plan(module.params, active, own)
        else:
            calls, rules = plan(module.params, present, active, policy.group(1) if policy else "", own)
    except ValueError as problem:
        module.fail_json(msg=str(problem))
    for call in [] if module.check_mode else calls:
        done = run(ufw, *call)
        if done.returncode:
            module.fail_json(msg=f"`ufw {shlex.join(call)}` failed: {(done.stderr or done.stdout).strip()}")
    enabled = ["--force", "enable"] in calls
    if enabled and not module.check_mode:
        ensure_units(["ufw.service"], dry=False)  # where its package was kept from starting it
    closed = closed_ports(rules) if enabled else []
    ports = [f"{item['port']}/{item['proto']}" for item in module.params["allowed"]]
    commands = [shlex.join(call) for call in calls]
    module.exit_json(changed=bool(calls), commands=commands, closed=closed, managed={"ports": ports})


if __name__ == "__main__":
    main()
