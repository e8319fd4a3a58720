"""Every URL with every kind of actor: who gets in, and that who is refused has changed nothing."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve

from forgelab.accounts import services
from forgelab.accounts.actors import SYSTEM
from forgelab.accounts.models import AuditEntry, User
from forgelab.accounts.policy import ACTIONS, Needs
from tests.accounts.walk import Url, database, homelab, urls

URLS = urls()
API = [(url, method) for url in URLS if url.view for method in url.view.allowed_methods if method != "OPTIONS"]
PAGES = [url for url in URLS if not url.view]

# Nobody needs a login for these. Everything else does, and this list must say so when it changes.
PUBLIC = {
    "login",  # to log in
    "join",  # for machines, which have a join token
    "run_stream",  # answers 401 by itself
    "",  # the API's answer to a path that it does not have
}
# What an ordinary user sees. Every other page is the owners'.
LOOKING = {
    "logout", "home", "server_provision", "recipe_detail", "placement", "server_list", "server_detail", "server_ready",
    "device_list", "device_detail", "device_join", "run_list", "run_detail", "run_log", "run_next", "run_plan",
}  # fmt: skip
METHODS = ("GET", "POST")


def named(url: Any) -> str:
    return f"{url.name or 'nothing-here'}" if isinstance(url, Url) else str(url)


@pytest.fixture
def rows(guest: User) -> dict[str, object]:
    return homelab()


def send(client: Client, method: str, address: str, **headers: str) -> HttpResponse:
    return client.generic(method, address, "{}", content_type="application/json", headers=headers)


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Token {services.token_create(user=user, actor=SYSTEM)}"}


def changes_nothing(ask: Any) -> Any:
    """The answer, where neither a row nor the audit is another one than before."""
    before = (database(), AuditEntry.objects.count())
    answer = ask()
    assert (database(), AuditEntry.objects.count()) == before
    return answer


def is_refused(answer: HttpResponse) -> bool:
    return answer.status_code in (401, 403) or answer.headers.get("Location", "").startswith("/login/")


def test_exactly_these_urls_need_no_login() -> None:
    assert {url.name for url in PAGES if getattr(url.callback, "login_required", True) is False} == PUBLIC


def test_every_page_of_the_tables_is_there() -> None:
    assert {url.name for url in PAGES} >= PUBLIC | LOOKING


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("url", [url for url in PAGES if url.name not in PUBLIC], ids=named)
class TestPage:
    def test_asks_who_is_not_logged_in_to_log_in(self, client: Client, rows: Any, url: Url, method: str) -> None:
        answer = changes_nothing(lambda: send(client, method, url.at(rows)))

        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login/?next=")

    def test_takes_no_token_of_the_api(self, client: Client, owner: User, rows: Any, url: Url, method: str) -> None:
        token = bearer(owner)

        answer = changes_nothing(lambda: send(client, method, url.at(rows), **token))

        assert answer.headers["Location"].startswith("/login/?next=")

    def test_is_shown_to_an_ordinary_user_only_for_looking(self, guest: User, rows: Any, url: Url, method: str) -> None:
        client = browser(guest)
        if url.name == "logout":
            assert send(client, method, url.at()).status_code in (302, 405)
            return

        answer = changes_nothing(lambda: send(client, method, url.at(rows)))

        assert is_refused(answer) is (url.name not in LOOKING)

    def test_is_the_owners(self, owner: User, url: Url, method: str) -> None:
        assert url.name == "logout" or not is_refused(send(browser(owner), method, url.at()))


@pytest.mark.parametrize("url", [url for url in PAGES if url.name in LOOKING - {"logout"}], ids=named)
def test_no_page_leads_an_ordinary_user_where_it_is_refused(guest: User, rows: Any, url: Url) -> None:
    page = browser(guest).get(url.at(rows), follow=True)
    hrefs = re.findall(r'(?:href|action)="(/[^"]*)"', page.content.decode())
    targets = {unescape(found).partition("?")[0] for found in hrefs}
    pages = {target: resolve(target).url_name for target in targets if not target.startswith("/static/")}

    assert {target: name for target, name in pages.items() if name not in LOOKING | PUBLIC} == {}
    assert page.status_code == (404 if url.name in ("device_join", "run_plan") else 200)


@pytest.mark.parametrize(("url", "method"), API, ids=named)
class TestEndpoint:
    def test_asks_who_is_unknown_for_a_token(self, client: Client, rows: Any, url: Url, method: str) -> None:
        assert changes_nothing(lambda: send(client, method, url.at(rows))).status_code == 401

    @pytest.mark.parametrize("way", ["token", "session"])
    def test_lets_an_ordinary_user_only_look(
        self, client: Client, guest: User, rows: Any, url: Url, method: str, way: str
    ) -> None:
        token, who = (bearer(guest), client) if way == "token" else ({}, browser(guest))

        answer = changes_nothing(lambda: send(who, method, url.at(rows), **token))

        assert (answer.status_code == 403) is (ACTIONS[url.action(method)].needs is Needs.OWNER)

    @pytest.mark.parametrize("way", ["token", "session"])
    def test_lets_an_owner_do_everything(self, client: Client, owner: User, url: Url, method: str, way: str) -> None:
        token, who = (bearer(owner), client) if way == "token" else ({}, browser(owner))

        assert not is_refused(send(who, method, url.at(), **token))


def test_a_stream_of_events_is_refused_without_a_login(client: Client, rows: Any) -> None:
    (url,) = (url for url in PAGES if url.name == "run_stream")

    assert changes_nothing(lambda: client.get(url.at(rows))).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_has_no_join_token_changes_nothing(client: Client, rows: Any, method: str) -> None:
    (url,) = (url for url in PAGES if url.name == "join")

    answer = changes_nothing(lambda: send(client, method, url.at()))

    assert "was made too long ago" in answer.content.decode()
