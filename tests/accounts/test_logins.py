from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from forgelab.accounts import logins
from forgelab.accounts.models import AuditEntry, User

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def nobody_has_guessed(db: None) -> None:
    cache.clear()


def log_in(client: Client, username: str, password: str) -> AuditEntry | None:
    client.post("/login/", {"username": username, "password": password}, REMOTE_ADDR="192.168.1.7")
    return AuditEntry.objects.first()


def test_a_login_is_recorded_with_its_address(client: Client, owner: User) -> None:
    entry = log_in(client, "ada", PASSWORD)

    assert entry and (entry.action, entry.actor, entry.origin) == ("user.login", "ada", "192.168.1.7")


def test_a_failed_login_has_no_actor_and_names_whom_it_was_tried_for(client: Client, owner: User) -> None:
    entry = log_in(client, "ada", "wrong")

    assert entry and (entry.action, entry.actor, entry.object_name) == ("user.login_failed", "anonymous", "ada")


def test_what_is_typed_in_the_place_of_a_name_is_not_kept(client: Client, owner: User) -> None:
    entry = log_in(client, PASSWORD, PASSWORD)

    assert entry and (entry.action, entry.object_name) == ("user.login_failed", "")
    assert PASSWORD not in str(AuditEntry.objects.values())


def test_guesses_cannot_fill_the_disk(client: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "RECORDED", 3)
    for _ in range(5):
        log_in(client, "ada", "wrong")

    assert AuditEntry.objects.count() == 3


def test_a_logout_is_recorded(client: Client, owner: User) -> None:
    log_in(client, "ada", PASSWORD)
    client.post("/logout/")

    assert [entry.action for entry in AuditEntry.objects.all()] == ["user.logout", "user.login"]
