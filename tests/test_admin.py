"""Django's admin: every model has a list and a page, nothing secret is in them, and records cannot be changed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import get_token_model
from pytest_django import DjangoAssertNumQueries, Settings

from forgelab.accounts.actors import SYSTEM
from forgelab.accounts.models import AuditEntry, User
from forgelab.accounts.services import token_create
from forgelab.devices import join_tokens
from forgelab.devices.models import Device, Identity, JoinToken, Sample
from forgelab.lib.paging import BoundedPaginator
from forgelab.runs.models import DeviceLock, Event, Run, Step
from forgelab.servers.models import Component, Server
from tests import factories

MODELS = (User, AuditEntry, Identity, Device, Sample, JoinToken, Run, Step, Event, DeviceLock, Server, Component)
RECORDS = (AuditEntry, JoinToken, Run, Step, Event, DeviceLock, Component, Server)
NEVER_ADDED = (*RECORDS, Identity, Device, Sample)


@pytest.fixture
def office(admin_client: Client, settings: Settings) -> Client:
    """An admin's browser, in a homelab with one row of every model."""
    settings.STATIC_URL = "/static/"
    best = factories.device("homelab-server-02")
    run = factories.run(best, Run.Status.RUNNING, server=factories.server(best))
    DeviceLock.objects.create(device=best, run=run)
    Sample.objects.create(device=best, span=Sample.Span.RAW, at=timezone.now(), load_percent=12.0)
    join_tokens.token_create(user=User.objects.get(), actor=SYSTEM)
    return admin_client


def address(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def holds_a_secret(source: str) -> bool:
    """In clear, or encrypted: `gAAAAA` is how a Fernet token begins."""
    return any(secret in source for secret in (factories.SECRET, factories.PRIVATE_KEY, "gAAAAA"))


@pytest.mark.parametrize("model", MODELS)
def test_every_list_is_shown_and_can_be_searched_without_secrets(office: Client, model: type[Model]) -> None:
    for query in ("", "?q=homelab"):
        response = office.get(address(model, "changelist") + query)
        assert response.status_code == 200
        assert not holds_a_secret(response.content.decode())


@pytest.mark.parametrize("model", MODELS)
def test_every_row_has_a_page_without_secrets(office: Client, model: type[Model]) -> None:
    response = office.get(address(model, "change", model._default_manager.first().pk))

    assert response.status_code == 200
    assert not holds_a_secret(response.content.decode())


@pytest.mark.parametrize("model", NEVER_ADDED)
def test_what_only_forgelab_makes_cannot_be_added_by_hand(office: Client, model: type[Model]) -> None:
    assert office.get(address(model, "add")).status_code == 403


@pytest.mark.parametrize("model", RECORDS)
def test_records_cannot_be_changed(office: Client, model: type[Model]) -> None:
    row = model._default_manager.first()

    assert office.post(address(model, "change", row.pk), {"status": "succeeded"}).status_code == 403


@pytest.mark.parametrize("model", (AuditEntry, Run, Step, Event, DeviceLock, Component, Device, Sample))
def test_records_and_devices_cannot_be_deleted(office: Client, model: type[Model]) -> None:
    assert office.get(address(model, "delete", model._default_manager.first().pk)).status_code == 403


def test_a_server_that_a_run_works_on_cannot_be_forgotten(office: Client) -> None:
    server = Server.objects.get()
    assert office.post(address(Server, "delete", server.pk), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [server.pk], "post": "yes"}
    office.post(address(Server, "changelist"), chosen)
    assert Server.objects.exists()


def test_a_server_can_be_forgotten(office: Client) -> None:
    factories.end(Run.objects.get(), "succeeded")
    office.post(address(Server, "delete", Server.objects.get().pk), {"post": "yes"})

    assert not Server.objects.exists()
    assert AuditEntry.objects.first().action == "admin.delete"


def test_several_rows_deleted_at_once_are_recorded_each(office: Client) -> None:
    factories.end(Run.objects.get(), "succeeded")
    chosen = {"action": "delete_selected", "_selected_action": [Server.objects.get().pk], "post": "yes"}
    office.post(address(Server, "changelist"), chosen)

    assert not Server.objects.exists()
    assert AuditEntry.objects.filter(action="admin.delete").count() == 1


def test_a_password_set_here_is_recorded_but_not_kept(office: Client) -> None:
    password = "another horse battery"
    office.post(address(User, "add"), {"username": "bob", "usable_password": "true", "password1": password,
                                       "password2": password})  # fmt: skip

    entry = AuditEntry.objects.first()
    assert (entry.action, entry.object_name, entry.after["username"]) == ("admin.add", "bob", "bob")
    assert password not in str(entry.after)


def test_the_address_of_a_device_can_be_corrected(office: Client) -> None:
    device = Device.objects.get()
    form = {"name": device.name, "address": "192.168.1.9", "port": 22, "user": "root", "identity": device.identity_id}

    office.post(
        address(Device, "change", device.pk), form | {"host_keys": "ssh-ed25519 FORGED", "status": "unreachable"}
    )
    device.refresh_from_db()

    assert device.address == "192.168.1.9"
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.actor, entry.object_name) == ("admin.change", "admin", device.name)
    assert (entry.before["address"], entry.after["address"]) == ("192.168.1.105", "192.168.1.9")
    assert device.host_keys == factories.HOST_KEY
    assert device.status == "reachable"


def test_a_devices_page_shows_the_pinned_fingerprints(office: Client) -> None:
    assert factories.FINGERPRINT in office.get(address(Device, "change", Device.objects.get().pk)).content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_a_list_asks_the_database_a_fixed_number_of_times(
    office: Client, model: type[Model], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        device = factories.device(f"device-{number}")
        factories.run(device, Run.Status.SUCCEEDED, server=factories.server(device, f"server-{number}"))

    with django_assert_max_num_queries(12):
        office.get(address(model, "changelist"))


def test_events_are_counted_only_so_far(office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 1)

    assert Event.objects.count() == 2
    assert BoundedPaginator(Event.objects.all(), 100).count == 1
    assert office.get(address(Event, "changelist")).status_code == 200


@pytest.fixture
def staff(client: Client, admin_user: User) -> Client:
    """The browser of somebody who is staff, with every permission of Django's own, and no owner."""
    user = User.objects.create_user("eve", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)
    return client


@pytest.mark.parametrize("model", MODELS)
def test_who_is_staff_but_no_owner_sees_no_list(staff: Client, model: type[Model]) -> None:
    assert staff.get(address(model, "changelist")).status_code == 302


def test_who_is_staff_but_no_owner_cannot_become_one(staff: Client) -> None:
    eve = User.objects.get(username="eve")
    form = {"username": "eve", "is_superuser": "on", "is_staff": "on", "is_active": "on", "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00:00"}  # fmt: skip
    staff.post(address(User, "change", eve.pk), form)
    eve.refresh_from_db()
    assert not eve.is_superuser


def test_that_a_token_was_taken_back_is_recorded_without_its_digest(office: Client) -> None:
    token_create(user=User.objects.get(), actor=SYSTEM)
    token = get_token_model().objects.get()
    office.post(address(type(token), "delete", token.pk), {"post": "yes"})
    assert not get_token_model().objects.exists()
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.object_type) == ("admin.delete", "authtoken")
    assert entry.object_id == token.token_key[:8]
    assert token.token_key[:8] in entry.object_name
    assert token.digest[:20] not in str(AuditEntry.objects.values())


def test_that_a_password_was_set_is_recorded_without_the_password(office: Client) -> None:
    typed = {"password1": "Zebra-crossing-77", "password2": "Zebra-crossing-77", "usable_password": "true"}
    office.post(reverse("admin:auth_user_password_change", args=[User.objects.get().pk]), typed)
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.before, entry.after) == ("admin.change", {"password": None}, {"password": "•••"})


def test_that_somebody_changed_their_own_password_is_recorded_without_it(office: Client) -> None:
    typed = {"old_password": "password", "new_password1": "Zebra-crossing-77", "new_password2": "Zebra-crossing-77"}
    wrong = typed | {"old_password": "wrong"}
    office.post(reverse("admin:password_change"), wrong)
    assert not AuditEntry.objects.filter(action="admin.change").exists()
    office.post(reverse("admin:password_change"), typed)
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.object_type, entry.after) == ("admin.change", "user", {"password": "•••"})
    assert User.objects.get().check_password("Zebra-crossing-77")
