from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from forgelab.accounts import audit
from forgelab.accounts.actors import SYSTEM, from_person
from forgelab.accounts.masking import MASK
from forgelab.accounts.models import AuditEntry, User
from forgelab.devices.models import Device, Identity


def test_an_entry_says_who_did_what_to_which_object_and_from_where(owner: User, device: Device) -> None:
    entry = audit.record(actor=from_person(owner, "192.168.1.7"), action="device.remove", obj=device)

    assert (entry.actor_kind, entry.actor, entry.user, entry.origin) == ("person", "ada", owner, "192.168.1.7")
    assert (entry.object_type, entry.object_id, entry.object_name) == ("device", str(device.pk), device.name)
    assert str(entry) == f"ada: device.remove {device.name}"


def test_only_what_changed_is_kept(device: Device) -> None:
    before = audit.state(device, "name", "sleeps")
    device.sleeps = True

    entry = audit.record(
        actor=SYSTEM, action="device.update", obj=device, before=before, after=audit.state(device, "name", "sleeps")
    )

    assert (entry.before, entry.after) == ({"sleeps": False}, {"sleeps": True})


class TestSecrets:
    def test_are_masked_by_the_name_of_their_field_at_any_depth(self, db: None) -> None:
        after = {"config": {"redis_password": "hunter2", "port": 6379}, "api_token": "abc", "passphrase": ""}

        entry = audit.record(actor=SYSTEM, action="server.change", after=after)

        assert entry.after == {
            "config": {"redis_password": MASK, "port": 6379}, "api_token": MASK, "passphrase": "",
        }  # fmt: skip

    def test_of_the_object_itself_are_masked_wherever_they_stand(self, identity: Identity) -> None:
        after = {"note": f"key: {identity.private_key}", "listed": [identity.private_key]}

        entry = audit.record(actor=SYSTEM, action="identity.add", obj=identity, after=after)

        assert entry.after == {"note": f"key: {MASK}", "listed": [MASK]}

    def test_that_the_service_knows_are_masked(self, db: None) -> None:
        entry = audit.record(actor=SYSTEM, action="server.change", after={"dsn": "pgsql://u:pw42@h"}, secrets=["pw42"])

        assert entry.after == {"dsn": f"pgsql://u:{MASK}@h"}

    def test_in_encrypted_fields_never_come_out_of_the_state(self, identity: Identity) -> None:
        assert audit.state(identity)["private_key"] == MASK


def test_values_become_json(device: Device) -> None:
    entry = audit.record(actor=SYSTEM, action="device.add", obj=device, after=audit.state(device))
    entry.refresh_from_db()

    assert entry.after["id"] == str(device.pk)
    assert entry.after["memory_total_mb"] == 16384


def test_no_database_is_given_a_null_character(db: None) -> None:
    assert audit.record(actor=SYSTEM, action="device.add", after={"name": "a\0b"}).after == {"name": "ab"}


def test_an_unknown_action_is_refused(db: None) -> None:
    with pytest.raises(KeyError):
        audit.record(actor=SYSTEM, action="device.paint")


@pytest.mark.django_db(transaction=True)
def test_nothing_is_recorded_outside_of_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="outside of the transaction"):
        audit.record(actor=SYSTEM, action="device.add")


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_rolled_back_with_its_change() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.record(actor=SYSTEM, action="device.add")
        1 / 0  # noqa: B018

    assert not AuditEntry.objects.exists()


class TestTheDatabaseRefuses:
    @pytest.fixture(autouse=True)
    def entry(self, db: None) -> AuditEntry:
        return audit.record(actor=SYSTEM, action="device.add")

    def refused(self, sql: str) -> None:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
        assert AuditEntry.objects.get().actor == "ForgeLab"

    def test_to_change_an_entry(self) -> None:
        self.refused("UPDATE accounts_auditentry SET actor = 'somebody else'")

    def test_to_delete_an_entry(self) -> None:
        self.refused("DELETE FROM accounts_auditentry")

    def test_to_empty_the_table(self) -> None:
        self.refused("TRUNCATE accounts_auditentry" if connection.vendor == "postgresql" else
                     "REPLACE INTO accounts_auditentry SELECT * FROM accounts_auditentry")  # fmt: skip

    def test_to_save_an_entry_once_more(self, entry: AuditEntry) -> None:
        entry.actor = "somebody else"
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            entry.save()


@pytest.mark.django_db(transaction=True)
def test_what_a_user_did_outlives_the_user() -> None:
    user = User.objects.create_superuser("ada")
    with transaction.atomic():
        audit.record(actor=from_person(user), action="device.add")

    user.delete()

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.user_id is not None) == ("ada", True)
    assert not User.objects.exists()
