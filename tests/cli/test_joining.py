"""`forgelab device join`, and passwords for `forgelab device add`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from forgelab.accounts.models import User
from forgelab.cli.device import join as joining
from forgelab.cli.device import password
from forgelab.devices import hostkeys, join_tokens
from forgelab.devices.models import Device, JoinToken
from tests import factories
from tests.cli.commands import Command


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, db: None) -> SimpleNamespace:
    """A ForgeLab that runs at `url`, and a user of it; None for one that does not run."""
    User.objects.create_superuser("ada")
    running = SimpleNamespace(url="http://192.168.1.5:8000/")
    state = lambda _: running if running.url else None  # noqa: E731
    monkeypatch.setattr(joining.Stack, "read", state)
    monkeypatch.setattr(joining, "INTERVAL", 0)
    return running


def test_it_prints_the_command_and_what_came_of_it(
    forgelab: Command, running: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = factories.device("attic", address="192.168.1.7")
    looks = [{}, {"used_at": timezone.now()}, {"device": device}]
    monkeypatch.setattr("forgelab.cli.device.join.time.sleep", lambda _: JoinToken.objects.update(**looks.pop(0)))

    done = forgelab("device", "join", "--name", "cellar")

    assert done.status == 0, done.err
    command = re.match(r"curl -fsS http://192\.168\.1\.5:8000/join/([\w-]{43}) \| sudo sh\n", done.out)
    assert command
    token = JoinToken.objects.get()
    assert (token.digest, token.name, token.created_by.username) == (join_tokens.digest(command[1]), "cellar", "ada")
    assert "attic has joined at 192.168.1.7" in done.out
    assert factories.FINGERPRINT in done.out
    assert "The machine has called" in done.err


def test_a_machine_that_could_not_be_added_is_a_failure(
    forgelab: Command, running: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail = {"used_at": timezone.now(), "failure": "attic refused the key."}
    monkeypatch.setattr("forgelab.cli.device.join.time.sleep", lambda _: JoinToken.objects.update(**fail))

    done = forgelab("device", "join")

    assert (done.status, done.err.splitlines()[-1]) == (1, "forgelab: attic refused the key.")


def test_it_need_not_wait(forgelab: Command, running: SimpleNamespace, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://forgelab.example"
    assert forgelab("device", "join", "--no-wait").out.startswith("curl -fsS https://forgelab.example/join/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Start it with: forgelab up --host 0.0.0.0"),
        ("http://127.0.0.1:8123/", "forgelab up --host 0.0.0.0 --port"),
    ],
)
def test_no_command_is_made_that_could_not_work(
    forgelab: Command, running: SimpleNamespace, url: str, words: str
) -> None:
    running.url = url
    done = forgelab("device", "join")
    assert done.status == 1 and words in done.err
    assert not JoinToken.objects.exists()


def test_somebody_answers_for_it(forgelab: Command, running: SimpleNamespace) -> None:
    assert 'There is no user "bob"' in forgelab("device", "join", "--as", "bob").err
    User.objects.all().delete()
    assert "forgelab user create admin" in forgelab("device", "join").err


def test_a_wrong_name_is_reported_by_its_field(forgelab: Command, running: SimpleNamespace) -> None:
    done = forgelab("device", "join", "--name", "My Attic")
    assert done.status == 1 and "name: " in done.err


@pytest.fixture
def by_password(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a device would be added with."""
    used: list[dict[str, Any]] = []

    def add(**fields: Any) -> Device:
        used.append(fields)
        return factories.device(fields["name"])

    monkeypatch.setattr("forgelab.devices.passwords.device_add_with_password", add)
    keys = hostkeys.parse(factories.HOST_KEY)
    monkeypatch.setattr(hostkeys, "scan", lambda *_, **__: keys)
    return used


ADD = ("device", "add", "attic", "192.0.2.10", "--user", "ada", "--accept-key")


def test_a_password_comes_from_a_file_where_nobody_can_type(
    forgelab: Command, by_password: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(" s3cret-one \n\n")
    done = forgelab(*ADD, "--password-file", str(tmp_path / "secret"))
    assert done.status == 0, done.err
    assert by_password[0]["password"] == " s3cret-one "
    assert "attic is added" in done.out and "s3cret" not in done.out + done.err


def test_a_password_is_asked_for_without_being_shown(
    forgelab: Command, by_password: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--password-file" in forgelab(*ADD, "--password").err  # no terminal here

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: prompt)
    assert forgelab(*ADD, "--password").status == 0
    assert by_password[0]["password"] == "Password of ada on 192.0.2.10: "


def test_no_option_takes_the_password_itself() -> None:
    parser = argparse.ArgumentParser()
    password.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--password", "s3cret-one"])
    assert parser.parse_args(["--password"]).password is True
