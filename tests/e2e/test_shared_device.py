"""Two servers on one device, of which only the second has a firewall. Three are in test_three_servers.py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.sharing import LONG, NETWORK, Home, Join
from tests.support.stack import Stack

pytestmark = [pytest.mark.lab, pytest.mark.matrix]
SHOP, SHELF = "share-shop", "share-shelf"
QUICK = {"php_version": "8.2", "include_nodejs": False, "include_composer": False, "include_firewall": False}
WEB = ("laravel-web-server", QUICK, ["nginx", "php8.2-fpm"])
APP = (
    "laravel-app-server",
    {**QUICK, "postgresql_version": "15", "include_backups": False, "include_redis": False},
    ["nginx", "php8.2-fpm", "postgresql@15-main", "supervisor"],
)


@pytest.mark.parametrize(
    ("server_type", "config", "units"),
    [pytest.param(*WEB, id="web"), pytest.param(*APP, id="app")],
)
def test_a_firewall_that_comes_later_shuts_nobody_off(
    stack: Stack, join: Join, server_type: str, config: dict[str, Any], units: list[str]
) -> None:
    device, device_id = join("e2e-share-web", memory="4G")
    home = Home(stack, device, device_id)
    home.provision(server_type, SHOP, **config)
    assert home.firewall() == {}

    home.provision("cache-server", SHELF, cache_engine="memcached", allowed_networks=[NETWORK])

    opened = {"22": {"Anywhere"}, "80": {"Anywhere"}, "443": {"Anywhere"}, "11211": {NETWORK}}
    assert home.firewall() == opened
    assert home.again(server_type, SHOP) == home.again("cache-server", SHELF) == 0
    assert [home.planned(name) for name in (SHOP, SHELF)] == ["No changes"] * 2

    home.stack.cli("server", "decommission", SHELF, "--confirm", SHELF, timeout=LONG)
    assert home.firewall() == {}
    assert home.running(*units, "memcached") == [*["active"] * len(units), "inactive"]
    assert home.again(server_type, SHOP) == 0
    device.remove()
