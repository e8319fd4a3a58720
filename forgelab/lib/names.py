"""Patterns of the names people give, with the sentence that explains each."""

from __future__ import annotations

import ipaddress
import re

SLUG = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
SLUG_RULE = "use 1 to 63 lowercase letters, digits and hyphens, beginning with a letter and not ending with a hyphen"
RESERVED = frozenset({"all", "ungrouped"})  # groups that every Ansible inventory has by itself
RESERVED_RULE = "Ansible keeps this name for itself; choose another one"
USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
USER_RULE = "use a Linux user name: lowercase letters, digits, _ and -, at most 32 of them"
HOSTNAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
ZONE = re.compile(r"[A-Za-z0-9._-]{1,15}")  # a network interface; Python takes any text behind the % of an IPv6 address
ADDRESS_RULE = "give an IPv4 address, an IPv6 address without brackets, or a host name such as homelab-server-01.local"


def is_slug(text: str) -> bool:
    """Whether `text` may name a device or a server (RFC 1123 label, beginning with a letter)."""
    return SLUG.fullmatch(text) is not None and text not in RESERVED


def slug_problem(text: str) -> str:
    """Why `text` may not name a device or a server, as the end of a sentence; empty when it may."""
    if text in RESERVED:
        return RESERVED_RULE
    return "" if is_slug(text) else SLUG_RULE


def is_user(text: str) -> bool:
    """Whether `text` is a Linux user name as `useradd` accepts by default."""
    return USER.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Whether `text` is an IP address or a host name (RFC 1123)."""
    try:
        zone = getattr(ipaddress.ip_address(text), "scope_id", None)
        return zone is None or ZONE.fullmatch(zone) is not None
    except ValueError:
        return HOSTNAME.fullmatch(text) is not None and not text.replace(".", "").isdigit()


def group_name(slug: str) -> str:
    """The Ansible group of a server: hyphens are not allowed in group names."""
    return slug.replace("-", "_")
