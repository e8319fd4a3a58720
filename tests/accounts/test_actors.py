from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from knox.models import AuthToken

from forgelab.accounts import actors, services
from forgelab.accounts.actors import SYSTEM, Kind
from forgelab.accounts.models import User


@pytest.fixture
def ada(db: None) -> User:
    return services.user_create(username="ada", password="correct horse battery", actor=SYSTEM)


def test_somebody_who_is_logged_in_is_a_person(ada: User, rf: RequestFactory) -> None:
    request = rf.get("/", REMOTE_ADDR="192.168.1.7")
    request.user = ada

    actor = actors.from_request(request)

    assert (actor.kind, actor.display, actor.origin, actor.user) == (Kind.PERSON, "ada", "192.168.1.7", ada)


def test_a_request_with_a_token_is_a_token_of_its_user(ada: User, rf: RequestFactory) -> None:
    services.token_create(user=ada, actor=SYSTEM)
    request = rf.get("/", REMOTE_ADDR="192.168.1.7")
    request.user, request.auth = ada, AuthToken.objects.get()

    actor = actors.from_request(request)

    assert (actor.kind, actor.user) == (Kind.TOKEN, ada)
    assert actor.display == f"ada (token {request.auth.token_key[:8]})"


def test_somebody_who_is_not_logged_in_has_no_user(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()

    assert actors.from_request(request).user is None
    assert str(actors.from_request(request)) == "anonymous"


def test_the_command_line_says_which_login_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "homelab")
    monkeypatch.setattr(actors, "_login", lambda uid: "root")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert actors.from_shell() == actors.Actor(Kind.COMMAND_LINE, "root (command line)", "root@homelab")

    monkeypatch.setenv("SUDO_USER", "ada")
    assert actors.from_shell().origin == "ada@homelab"


def test_a_user_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 3_999_999)

    assert actors.from_shell().display == "3999999 (command line)"
