from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.lib.problems import DocumentError
from forgelab.recipes.roles.spec import load_roles
from forgelab.recipes.versions.vendors import planned_vendors, vendors

SHIPPED = load_roles(Path(__file__).parents[3] / "roles").vendors
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
    for vendor in SHIPPED.values():
        assert vendor.fingerprints
        assert vendor.source.startswith("https://")
        assert vendor.suites


def test_no_two_shipped_vendors_have_one_name() -> None:
    names = [vendor.name for vendor in SHIPPED.values()]
    assert sorted(names) == sorted(set(names)) == ["pgdg", "sury"]


def test_without_a_file_of_ones_own_the_shipped_ones_hold(own: Path) -> None:
    assert vendors(own, SHIPPED) == SHIPPED


def test_a_mirror_changes_the_address_and_nothing_else(own: Path) -> None:
    own.write_text("php:\n  base_url: http://mirror.homelab.local/php/\n")
    changed = vendors(own, SHIPPED)
    assert changed["php"].base_url == "http://mirror.homelab.local/php"
    assert changed["php"].fingerprints == SHIPPED["php"].fingerprints
    assert changed["php"].key_url == SHIPPED["php"].key_url
    assert changed["postgresql"] == SHIPPED["postgresql"]


def test_a_vendor_of_ones_own_is_added(own: Path) -> None:
    own.write_text(OWN)
    assert vendors(own, SHIPPED)["redis"].planned() == {
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
def test_a_mistake_is_reported_with_line_and_key(own: Path, text: str, told: str) -> None:
    own.write_text(text)
    with pytest.raises(DocumentError) as raised:
        vendors(own, SHIPPED)
    assert told in str(raised.value)


def test_a_plan_has_the_vendors_of_its_components_once(own: Path) -> None:
    planned = planned_vendors(["nginx", "php", "php", "redis"], vendors(own, SHIPPED))
    assert [vendor["name"] for vendor in planned] == ["sury"]
