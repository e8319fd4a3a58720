"""What pages offer: the links and forms that the policy allows to the user who sees them, and no others.

A browser follows every link from the overview. What a page needs comes from its view (`permissions.needs`), and who
may have it from the policy, so that a new button is held to it without a line here.
"""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, resolve
from django.utils import timezone

from forgelab.accounts.models import User
from forgelab.accounts.policy import ACTIONS, Needs
from forgelab.databases.backup_listing import Backup, Listing
from forgelab.databases.models import BackupRecord
from forgelab.runs.models import Run
from forgelab.servers.models import Component
from forgelab.web.permissions import action_of
from tests import factories
from tests.web.pages import text
from tests.web.world import stand_in

LINK = re.compile(r'(?:href|hx-get|method="get" action)="(/[^"]*)"')
BUTTON = re.compile(r'(?:method="post" action|hx-post|data-credentials)="(/[^"]*)"')
ELSEWHERE = (settings.STATIC_URL, "/admin/", "/logout/")
OWNERS = {name for name, action in ACTIONS.items() if action.needs is Needs.OWNER}
# Pages that need an action, as the views say.
NEEDED = {
    pattern.name: action
    for pattern in get_resolver("forgelab.web.urls").url_patterns
    if (action := getattr(pattern.callback, "action", None))
}
BACKUP = Backup("20261121-020003", "postgresql", "PostgreSQL 15.4", "shop", timezone.now(), 1_048_576, 1.5)
EMPTY = ("/", "/devices/", "/servers/", "/provision/")


@pytest.fixture
def guest(user: User) -> Client:
    return browser(User.objects.create_user("bob", password="correct horse battery"))


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def homelab(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that has a button: a server with backups, a plan to apply, runs that run, failed and succeeded."""
    stand_in(monkeypatch)
    device = factories.device()
    server = factories.server(device)
    Component.objects.create(server=server, name="backups", title="Backups", position=9)
    BackupRecord.objects.create(server=server, listing=Listing((BACKUP,)).to_json())
    for status in (Run.Status.RUNNING, Run.Status.FAILED, Run.Status.SUCCEEDED):
        factories.run(device, status, server=server)
    request = {"config": server.config | {"php_version": "8.3"}, "base": server.config, "gone": []}
    plan = factories.run(device, Run.Status.SUCCEEDED, server=server, kind="server.plan", request=request)
    factories.run(device, Run.Status.FAILED, server=server, kind="server.plan", request=request)
    server.drift_run = plan
    server.save()


def offers(client: Client) -> dict[str, tuple[str, str]]:
    """By the name of its URL, everything that any page leads to: on which page, and where to."""
    found: dict[str, tuple[str, str]] = {}
    ahead, seen = ["/"], {"/"}
    while ahead:
        page = ahead.pop()
        source = client.get(page, follow=True).content.decode()
        links, buttons = urls(LINK, source), urls(BUTTON, source)
        for url in (*links, *buttons):
            found.setdefault(str(resolve(url.partition("?")[0]).url_name), (page, url))
        ahead += links - seen
        seen |= links
    return found


def urls(pattern: re.Pattern[str], source: str) -> set[str]:
    return {url for url in map(unescape, pattern.findall(source)) if not url.startswith(ELSEWHERE)}


def test_every_action_that_a_page_needs_is_in_the_policy() -> None:
    assert set(NEEDED.values()) <= set(ACTIONS)


def test_an_ordinary_user_is_offered_nothing_that_the_policy_refuses(guest: Client, homelab: None) -> None:
    refused = {name: where for name, where in offers(guest).items() if action_of(where[1]) in OWNERS}

    assert refused == {}


def test_the_owner_is_offered_everything(web: Client, homelab: None) -> None:
    assert set(NEEDED) - set(offers(web)) == set()


def test_both_are_offered_what_needs_only_a_login(web: Client, guest: Client, homelab: None) -> None:
    looking = {name for name, (_, url) in offers(web).items() if action_of(url) not in OWNERS}

    assert looking == set(offers(guest))


@pytest.mark.parametrize("page", EMPTY)
def test_an_empty_homelab_says_who_may_fill_it(guest: Client, page: str) -> None:
    assert "Ask an owner of this ForgeLab: ada." in text(guest.get(page))


@pytest.mark.parametrize("page", EMPTY)
def test_an_empty_homelab_refuses_its_owner_nothing(web: Client, page: str) -> None:
    assert "Ask an owner" not in text(web.get(page))
