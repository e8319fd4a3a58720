"""Networks as MySQL and MariaDB write them in the names of accounts."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

DOCUMENTATION = r"""
name: account_hosts
short_description: Networks as MySQL and MariaDB write them in the names of accounts
description:
  - C(localhost) always; as soon as networks are given, C(127.0.0.1), C(::1) and each of them as well.
  - Fails for IPv6 networks, which account names cannot have; single IPv6 addresses are fine.
author: ForgeLab
options:
  _input: {description: Networks such as 10.0.0.0/8., type: list, elements: str, required: true}
"""

EXAMPLES = r"""
- name: Show from where an account may connect
  ansible.builtin.debug:
    msg: "{{ ['10.0.0.0/8'] | forgelab.homelab.account_hosts }}"
"""

RETURN = r"""
_value: {description: "Host parts of accounts, such as 10.0.0.0/255.0.0.0.", type: list, elements: str}
"""

HERE = ["localhost"]
# Without name lookups, a connection to the loopback address is not one from `localhost` any more.
LOOPBACK = ["127.0.0.1", "::1"]


def account_host(network: str) -> str:
    """`10.0.0.0/255.0.0.0` for 10.0.0.0/8, and the address itself for a single one.

    Raises ValueError for what is no network and for IPv6 networks, which account names cannot have.
    """
    found = ipaddress.ip_network(network, strict=False)
    if found.prefixlen == found.max_prefixlen:
        return str(found.network_address)
    if found.version == 6:
        raise ValueError(f"{network} is an IPv6 network; only single IPv6 addresses can be allowed")
    return found.with_netmask


def account_hosts(networks: Iterable[str]) -> list[str]:
    """From where an account may connect: this device, and the devices of these networks."""
    remote = [account_host(network) for network in networks]
    return list(dict.fromkeys([*HERE, *LOOPBACK, *remote] if remote else HERE))


class FilterModule:
    """Filters shared by the roles mysql and mariadb."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Filter functions by name."""
        return {"account_hosts": account_hosts}
