from __future__ import annotations

import pytest

from forgelab.lib import public_url

LAN, NAME, HERE = "http://192.168.1.5:8000", "http://attic.local:8000", "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("configured", "asked", "listening", "expected"),
    [
        ("https://forgelab.example/", HERE, HERE, "https://forgelab.example"),
        ("", LAN, HERE, LAN),
        ("", HERE, LAN + "/", LAN),
        ("", NAME, LAN, LAN),  # an address by number needs no name server
        ("", NAME, HERE, NAME),
        ("", "http://[fd00::5]:8000", "", "http://[fd00::5]:8000"),
        ("", HERE, HERE, None),
        ("", "http://localhost:8000", "", None),
        ("", "http://[::1]:8000", "", None),
        ("", "", "", None),
    ],
)
def test_the_url_for_other_machines(configured: str, asked: str, listening: str, expected: str | None) -> None:
    assert public_url.choose(configured=configured, asked=asked, listening=listening) == expected


@pytest.mark.parametrize("url", [LAN, "https://forgelab.home.arpa", "http://[fd00::5]:8000", "https://a.example/forge"])
def test_these_may_stand_in_a_command(url: str) -> None:
    assert public_url.is_url(url)


@pytest.mark.parametrize(
    "url",
    ["ftp://a", "http://a b", "http://a;reboot", "http://$(id)", "http://a'b", "http://user@a", "http://a\n", "a"],
)
def test_these_may_not(url: str) -> None:
    assert not public_url.is_url(url)


def test_the_command_to_restart_keeps_the_port() -> None:
    assert public_url.restart_command(HERE + "/") == "forgelab up --host 0.0.0.0"
    assert public_url.restart_command("http://127.0.0.1:8080/") == "forgelab up --host 0.0.0.0 --port 8080"
