"""Two servers on one device, of which only the second has a firewall. Three are in test_three_servers.py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.colocation import LONG, NETWORK, Home, Join
from tests.support.stack import Stack

pytestmark = [pytest.mark.lab, pytest.mark.matrix]
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
    kind = server_type.split("-")[1]
    shop, shelf = f"{kind}-shop", f"{kind}-shelf"
    device, device_id = join(f"e2e-share-{kind}", memory="4G")
    home = Home(stack, device, device_id)
    home.provision(server_type, shop, **config)
    assert home.firewall() == {}

    home.provision("cache-server", shelf, cache_engine="memcached", allowed_networks=[NETWORK])

    opened = {"22": {"Anywhere"}, "80": {"Anywhere"}, "443": {"Anywhere"}, "11211": {NETWORK}}
    assert home.firewall() == opened
    assert home.again(server_type, shop) == home.again("cache-server", shelf) == 0
    assert [home.planned(name) for name in (shop, shelf)] == ["No changes"] * 2

    home.stack.cli("server", "decommission", shelf, "--confirm", shelf, timeout=LONG)
    assert home.firewall() == {}
    assert home.running(*units, "memcached") == [*["active"] * len(units), "inactive"]
    assert home.again(server_type, shop) == 0
    device.remove()
