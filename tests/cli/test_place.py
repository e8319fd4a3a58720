"""`forgelab place`: a ranking, a set, what if."""

from __future__ import annotations

import json

import pytest

from forgelab.accounts.actors import SYSTEM
from forgelab.servers.models import Server
from forgelab.servers.provisioning.services import server_provision
from tests import factories
from tests.cli.commands import Command

TYPE = factories.SMALL


@pytest.fixture
def two(db: None, enqueued: list[str]) -> None:
    factories.device("big", memory_total_mb=16384, memory_available_mb=16384)
    factories.device("small", memory_total_mb=4096, memory_available_mb=4096)


def test_the_ranking_is_for_the_options_and_the_environment(forgelab: Command, two: None) -> None:
    done = forgelab("place", TYPE, "--environment", "staging", "--set", "php_version=8.2")
    assert done.status == 0, done.err
    assert "100/100" not in done.out and "16GB RAM available (app needs 4GB)" in done.out


def test_a_set_is_shown_with_its_reasons(forgelab: Command, two: None) -> None:
    done = forgelab("place", f"{TYPE}*2", "--apart", TYPE)
    assert done.status == 0, done.err
    rows = {line.split()[0]: line.split()[1] for line in done.out.splitlines() if line.strip().startswith(TYPE)}
    assert rows.keys() == {f"{TYPE}-1", f"{TYPE}-2"} and set(rows.values()) == {"big", "small"}
    assert not Server.objects.exists()


def test_of_what_has_no_place_the_reason_is_reported_and_the_status_is_1(forgelab: Command, two: None) -> None:
    done = forgelab("place", f"one={TYPE}", f"two={TYPE}", "--on", "one=small", "--on", "two=small")
    assert done.status == 1
    assert "two" in done.out and "no place" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say what to place"),
        (("nonsense",), 'there is no recipe "nonsense"'),
        ((f"{TYPE}*0",), "is not [NAME=]TYPE[*COUNT]"),
        ((f"{TYPE}*2", "--set", "php_version=8.2"), "--set is for a single type"),
        ((f"{TYPE}*2", "--apart", "shop"), '"shop" is not one of'),
        ((f"{TYPE}*2", "--on", f"{TYPE}=nowhere"), '"nowhere" is not one of big, small'),
        (("--without", "nowhere"), 'There is no device "nowhere"'),
        (("--without", "big", TYPE), "goes with nothing else"),
    ],
)
def test_mistakes_are_sentences(forgelab: Command, two: None, arguments: tuple[str, ...], said: str) -> None:
    done = forgelab("place", *arguments)
    assert done.status == 1 and said in done.err and "Traceback" not in done.err


def test_what_if_shows_where_the_servers_would_go(forgelab: Command, two: None) -> None:
    assert "There is no server on big." in forgelab("place", "--without", "big").out
    server_provision(server_type=TYPE, name="web", device=None, config={}, environment="staging", actor=SYSTEM)
    done = forgelab("place", "--without", "big")
    assert done.status == 0, done.err
    assert "If big were gone" in done.out
    assert any(line.split()[:2] == ["web", "small"] for line in done.out.splitlines() if line.strip())
    shown = json.loads(forgelab("server", "show", "web", "--json").out)
    assert (shown["environment"], shown["memory_mb"]) == ("staging", 2048)
    assert "Placement:" in forgelab("server", "show", "web").out


def test_an_environment_that_is_none_is_refused(forgelab: Command, two: None) -> None:
    done = forgelab("server", "provision", TYPE, "--name", "web", "--environment", "live")
    assert done.status == 1 and '"live" is not one of production, staging, development' in done.err
