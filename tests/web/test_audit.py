from __future__ import annotations

import pytest
from django.test import Client

from forgelab.accounts import audit
from forgelab.accounts.actors import SYSTEM, Actor, Kind
from forgelab.accounts.models import AuditEntry, User
from forgelab.devices.models import Device
from tests.web.pages import text


@pytest.fixture
def entries(best: Device) -> None:
    root = Actor(Kind.COMMAND_LINE, "root (command line)", "root@homelab")
    audit.record(actor=root, action="device.update", obj=best, before={"sleeps": False}, after={"sleeps": True})
    audit.record(actor=SYSTEM, action="run.cancel", name="Provision shop")


def test_the_page_says_who_did_what_from_where_and_what_changed(web: Client, entries: None) -> None:
    page = text(web.get("/audit/"))

    assert "root (command line) from root@homelab device.update device homelab-server-02 sleeps: False → True" in page
    assert "ForgeLab run.cancel" in page


@pytest.mark.parametrize(
    "query", ["actor=root+(command+line)", "action=device.update", "obj=homelab-server-02"]
)  # fmt: skip
def test_it_is_narrowed_by_actor_action_and_object(web: Client, entries: None, query: str) -> None:
    page = text(web.get(f"/audit/?{query}"))

    assert "sleeps: False" in page
    assert "run.cancel" not in page


def test_a_query_that_fits_nothing_says_so(web: Client, entries: None) -> None:
    assert "Nothing like this was done yet." in text(web.get("/audit/?action=none%00"))


def test_long_audits_have_pages(web: Client, db: None) -> None:
    AuditEntry.objects.bulk_create([AuditEntry(actor_kind="system", actor="ForgeLab", action="run.cancel")] * 51)

    assert "Page 1 of 2" in text(web.get("/audit/?action=run.cancel"))


def test_only_owners_find_it_in_the_navigation_and_see_it(web: Client, entries: None) -> None:
    assert "/audit/" in web.get("/").content.decode()

    User.objects.update(is_superuser=False)

    assert "/audit/" not in web.get("/").content.decode()
    refused = web.get("/audit/")
    assert refused.status_code == 403
    assert "ada may look at everything, but not see who did what." in text(refused)
