from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from forgelab.recipes.roles.spec import load_roles
from forgelab.recipes.versions.support import ArchitectureLimit, Versions

TODAY = date(2026, 11, 21)
LOADED = load_roles(Path(__file__).parents[3] / "roles")
VERSIONS = {name: spec.versions for name, spec in LOADED.specs.items() if spec.versions.known}


def test_an_old_version_says_since_when() -> None:
    assert VERSIONS["php"].support("8.0", TODAY).note == "end of life since 2023-11-26"


def test_the_last_day_of_support_still_counts() -> None:
    assert not VERSIONS["php"].support("8.1", date(2025, 12, 31)).ended
    assert VERSIONS["php"].support("8.1", date(2026, 1, 1)).ended


def test_a_version_without_an_announced_end_is_supported() -> None:
    assert VERSIONS["redis"].support("7.2", TODAY) == VERSIONS["redis"].support("8.6", TODAY)
    assert not VERSIONS["redis"].support("7.2", TODAY).ended


def test_a_series_is_supported_while_one_of_it_is() -> None:
    assert not VERSIONS["redis"].support("7", TODAY).ended


@pytest.mark.parametrize(
    ("versions", "version"),
    [(VERSIONS["php"], "5.6"), (Versions(), "77"), (VERSIONS["php"], "latest"), (VERSIONS["php"], "")],
)
def test_of_an_unknown_version_nothing_is_claimed(versions: Versions, version: str) -> None:
    status = versions.support(version, TODAY)
    assert (status.known, status.ended, status.note) == (False, False, "")


def test_a_distribution_carries_one_version_of_each() -> None:
    carried = {name: versions.carried().get("bookworm") for name, versions in VERSIONS.items()}
    assert carried == {
        "mariadb": "10.11", "mysql": None, "nodejs": "18", "php": "8.2", "postgresql": "15", "redis": "7.0",
    }  # fmt: skip
    assert VERSIONS["mysql"].carried()["noble"] == "8.0"


@pytest.mark.parametrize("name", VERSIONS)
def test_every_date_has_a_source_and_no_release_carries_two_versions(name: str) -> None:
    assert VERSIONS[name].source.startswith("https://")
    sources = [source for version in VERSIONS[name].known.values() for source in version.sources]
    releases = [source for source in sources if source not in ("vendor", "binaries")]
    assert len(releases) == len(set(releases))


def test_distributions_are_named_before_the_vendor() -> None:
    assert VERSIONS["php"].origins("8.2") == ("Debian 12", "deb.sury.org")
    assert VERSIONS["php"].origins("8.0") == ("deb.sury.org",)
    assert VERSIONS["redis"].origins("7") == ("Debian 12", "Ubuntu 24.04")
    assert VERSIONS["nodejs"].origins("22") == ("official binary",)
    assert VERSIONS["mysql"].origins("8.4") == VERSIONS["php"].origins("1") == ()


def test_what_comes_as_a_binary_is_limited_to_its_processors() -> None:
    limit = ArchitectureLimit("official binary", ("x86_64", "aarch64"), ("trixie",))
    assert VERSIONS["nodejs"].limited_to("20") == limit
    assert VERSIONS["nodejs"].limited_to("18") is VERSIONS["php"].limited_to("8.3") is None
