from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.lib.problems import DocumentError
from forgelab.recipes.versions.support import lifecycles, origins
from forgelab.recipes.versions.vendors import planned_vendors, shipped_vendors, vendors

FINGERPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"
OWN = f"""
redis:
  name: own-redis
  title: "Redis of mine"
  base_url: http://packages.homelab.local/redis/
  key_url: http://packages.homelab.local/redis.asc
  fingerprints: [{FINGERPRINT}]
  suites: {{bookworm: stable}}
  packages: [redis-server, redis-tools]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "vendors.yaml"


def test_every_shipped_vendor_has_a_pinned_key_and_says_where_this_is_written() -> None:
    for vendor in shipped_vendors().values():
        assert vendor.fingerprints
        assert vendor.source.startswith("https://")
        assert vendor.suites


@pytest.mark.parametrize("component", shipped_vendors())
def test_what_a_vendor_offers_is_known_with_its_support(component: str) -> None:
    assert set(shipped_vendors()[component].versions) <= set(lifecycles()[component].ends)


def test_without_a_file_of_ones_own_the_shipped_ones_hold(own: Path) -> None:
    assert vendors(own) == shipped_vendors()


def test_a_mirror_changes_the_address_and_nothing_else(own: Path) -> None:
    own.write_text("php:\n  base_url: http://mirror.homelab.local/php/\n")
    changed = vendors(own)
    assert changed["php"].base_url == "http://mirror.homelab.local/php"
    assert changed["php"].fingerprints == shipped_vendors()["php"].fingerprints
    assert changed["php"].key_url == shipped_vendors()["php"].key_url
    assert changed["postgresql"] == shipped_vendors()["postgresql"]


def test_a_vendor_of_ones_own_is_added(own: Path) -> None:
    own.write_text(OWN)
    assert vendors(own)["redis"].planned() == {
        "name": "own-redis",
        "title": "Redis of mine",
        "base_url": "http://packages.homelab.local/redis",
        "key_url": "http://packages.homelab.local/redis.asc",
        "fingerprints": [FINGERPRINT],
        "suites": {"bookworm": "stable"},
        "components": ["main"],
        "packages": ["redis-server", "redis-tools"],
        "shared": [],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("php: {base_url: nowhere}", "line 1: php.base_url"),
        ("php: {base_url: 'http://x/y\\nTrusted: yes'}", "line 1: php.base_url"),
        ("php:\n  base_ulr: http://mirror/php", "line 2: php.base_ulr: is not a known key"),
        ("php: {fingerprints: []}", "line 1: php.fingerprints: needs at least one"),
        ("php: {fingerprints: [B695BD4743]}", "line 1: php.fingerprints[0]"),
        ("php: {suites: {trixie: 'a b'}}", "line 1: php.suites.trixie"),
        ("php: {packages: ['${nonsense}']}", "line 1: php.packages[0]"),
        ("php: {name: pgdg}", 'two vendors are named "pgdg"'),
        ("redis: {name: mine}", "redis.title: is missing"),
        ("- php", "must be a mapping"),
        ("php: [", "not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_line_and_key(own: Path, text: str, told: str) -> None:
    own.write_text(text)
    with pytest.raises(DocumentError) as raised:
        vendors(own)
    assert told in str(raised.value)


def test_a_plan_has_the_vendors_of_its_components_once(own: Path) -> None:
    planned = planned_vendors(["nginx", "php", "php", "redis"], vendors(own))
    assert [vendor["name"] for vendor in planned] == ["sury"]


def test_distributions_are_named_before_the_vendor() -> None:
    assert origins("php", "8.2") == ("Debian 12", shipped_vendors()["php"].title)
    assert origins("php", "8.0") == (shipped_vendors()["php"].title,)
    assert origins("redis", "7") == ("Debian 12", "Ubuntu 24.04")
    assert origins("nodejs", "22") == ("official binary",)
    assert origins("mysql", "8.4") == origins("nonsense", "1") == ()
