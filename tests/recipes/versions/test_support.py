from __future__ import annotations

from datetime import date

import pytest

from forgelab.recipes.versions.support import lifecycles, offered_by, support

TODAY = date(2026, 11, 21)


def test_an_old_version_says_since_when() -> None:
    assert support("php", "8.0", TODAY).note == "end of life since 2023-11-26"


def test_the_last_day_of_support_still_counts() -> None:
    assert not support("php", "8.1", date(2025, 12, 31)).ended
    assert support("php", "8.1", date(2026, 1, 1)).ended


def test_a_version_without_an_announced_end_is_supported() -> None:
    assert support("redis", "7.2", TODAY) == support("redis", "8.6", TODAY)
    assert not support("redis", "7.2", TODAY).ended


def test_a_series_is_supported_while_one_of_it_is() -> None:
    assert not support("redis", "7", TODAY).ended


@pytest.mark.parametrize("component, version", [("php", "5.6"), ("fortran", "77"), ("php", "latest"), ("php", "")])
def test_of_an_unknown_version_nothing_is_claimed(component: str, version: str) -> None:
    status = support(component, version, TODAY)
    assert (status.known, status.ended, status.note) == (False, False, "")


def test_a_distribution_offers_what_it_carries() -> None:
    assert offered_by("bookworm") == {
        "php": "8.2",
        "postgresql": "15",
        "mariadb": "10.11",
        "redis": "7.0",
        "nodejs": "18",
    }
    assert offered_by("noble")["mysql"] == "8.0"
    assert offered_by("slackware") == {}


@pytest.mark.parametrize("name", lifecycles())
def test_every_date_has_a_source(name: str) -> None:
    lifecycle = lifecycles()[name]
    assert lifecycle.source.startswith("https://")
    assert all(end is None or isinstance(end, date) for end in lifecycle.ends.values())
    assert all(isinstance(version, str) for version in [*lifecycle.ends, *lifecycle.distributions.values()])
