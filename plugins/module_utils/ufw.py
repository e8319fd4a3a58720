"""Rules of ufw as data: read from its own words, compared with what is wanted, written as its arguments. Pure."""

from __future__ import annotations

import ipaddress
import itertools
import re
import shlex
from typing import NamedTuple

COMMENT = "ForgeLab"


class Rule(NamedTuple):
    """A rule for incoming connections; an empty proto means both, an empty source everybody."""

    action: str
    port: str
    proto: str
    source: str

    def covers(self, other: Rule) -> bool:
        """Whether this rule already decides about the other's port and source."""
        return self.port == other.port and self.proto in ("", other.proto) and self.source in ("", "any", other.source)


def parse_added(text: str) -> list[Rule]:
    """Rules in the output of `ufw show added`; those of other directions or interfaces are left out."""
    found = [parse_rule(shlex.split(line)[1:]) for line in text.splitlines() if line.startswith("ufw ")]
    return [rule for rule in found if rule]


def parse_own(text: str) -> list[Rule]:
    """Those of them that this module made, by their comment."""
    return parse_added("\n".join(line for line in text.splitlines() if line.endswith(f" comment '{COMMENT}'")))


def parse_rule(words: list[str]) -> Rule | None:
    """One rule from ufw's words: `allow 22/tcp` or `allow from 10.0.0.0/8 to any port 22 proto tcp`."""
    if not words or words[0] not in ("allow", "deny", "reject", "limit") or {"on", "out"} & set(words[1:4]):
        return None
    short = re.fullmatch(r"([\d:,]+)(?:/(tcp|udp))?", words[1])
    if short:
        return Rule(words[0], short.group(1), short.group(2) or "", "")
    options = dict(itertools.pairwise(words))
    return Rule(words[0], options.get("port", ""), options.get("proto", ""), options.get("from", ""))


def wanted_rules(allowed: list[dict]) -> list[Rule]:
    """Rules for the ports to open. Raises ValueError, which names the wrong value and what is allowed."""
    rules = []
    for item in allowed:
        if not re.fullmatch(r"[1-9][0-9]{0,4}(:[1-9][0-9]{0,4})?", item["port"]) or port_end(item["port"]) > 65535:
            raise ValueError(
                f"firewall_allowed: port {item['port']!r} is neither a number up to 65535 nor a range such as 80:90."
            )
        sources = [""] if item["from"] is None else [network(source) for source in item["from"]]
        rules += [Rule("allow", item["port"], item["proto"], source) for source in sources]
    return rules


def port_end(port: str) -> int:
    """Last port of a port or range."""
    return int(port.split(":")[-1])


def network(source: str) -> str:
    """An address or network as ufw writes it, all addresses as "".

    Raises ValueError, which names the wrong value and what is allowed.
    """
    try:
        found = ipaddress.ip_network(source, strict=False)
    except ValueError:
        raise ValueError(
            f"firewall_allowed: from {source!r} is neither an address such as 192.168.1.20 "
            "nor a network such as 10.0.0.0/8."
        ) from None
    return str(found).removesuffix("/32").removesuffix("/128") if found.prefixlen else ""


def arguments(rule: Rule) -> list[str]:
    """Arguments of ufw for a rule."""
    source = rule.source or "any"
    end = ["to", "any", "port", rule.port, "proto", rule.proto, "comment", COMMENT]
    return [rule.action, "from", source, *end] if rule.source else ["allow", f"{rule.port}/{rule.proto}", *end[-2:]]


def missing_rules(wanted: list[Rule], present: list[Rule], ssh_ports: set[str], active: bool) -> list[Rule]:
    """Rules to add. An active firewall that lets SSH in from chosen addresses only is not opened wider."""
    chosen = {rule.port for rule in present if rule.action in ("allow", "limit")} & ssh_ports if active else set()
    open_to_all = [rule for rule in dict.fromkeys(wanted) if not (rule.port in chosen and not rule.source)]
    return [rule for rule in open_to_all if not any(old.covers(rule) for old in present)]


def stale_rules(allowed: list[dict], closed: list[str], wanted: list[Rule], own: list[Rule]) -> list[Rule]:
    """Rules of this module's, for ports that are or were asked for, that nobody wants any more."""
    ports = {(item["port"], item["proto"]) for item in allowed} | {tuple(port.split("/")) for port in closed}
    return [rule for rule in own if (rule.port, rule.proto) in ports and rule not in wanted]


def denied_ssh(present: list[Rule], ports: set[str]) -> str | None:
    """The SSH port that a hand-made rule would cut off, if any."""
    first: dict[str, str] = {}
    for rule in present:
        if rule.proto in ("", "tcp") and not rule.source:
            first.setdefault(rule.port, rule.action)
    return next((port for port in sorted(ports) if first.get(port) in ("deny", "reject")), None)
