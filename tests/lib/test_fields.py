from __future__ import annotations

import io
import json

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection

from forgelab.devices.models import Identity
from forgelab.lib.encryption import DecryptionError
from forgelab.runs.models import Run
from tests.support import secrets


def test_a_secret_is_encrypted_in_the_row(identity, private_key):
    assert secrets.in_database([private_key]) == []
    identity.refresh_from_db()
    assert identity.private_key == private_key


def test_the_search_for_secrets_would_find_one(identity, private_key):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE devices_identity SET public_key = %s", [private_key])
    assert [hit.split(":")[0] for hit in secrets.in_database([private_key])] == ["devices_identity.public_key"] * 5


def test_json_comes_back_as_it_went_in_and_is_encrypted_in_the_row(run, plan):
    assert secrets.in_database(["s3cret-token"]) == []
    assert Run.objects.get(pk=run.pk).plan == json.loads(json.dumps(plan.to_json()))


@pytest.mark.parametrize("lookup", ["private_key", "private_key__contains", "private_key__in", "private_key__regex"])
def test_a_secret_can_not_be_asked_for(identity, lookup):
    with pytest.raises(FieldError):
        Identity.objects.filter(**{lookup: ["x"]}).exists()


def test_it_can_be_asked_whether_there_is_one(identity):
    assert Identity.objects.filter(private_key__isnull=False).count() == 1


def test_without_the_key_reading_says_what_to_put_back(identity, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(DecryptionError, match="FORGELAB_ENCRYPTION_KEYS"):
        identity.refresh_from_db()


def test_after_a_change_of_keys_the_next_save_uses_the_new_one(identity, private_key, settings):
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    identity.save()
    settings.ENCRYPTION_KEYS = [new]
    identity.refresh_from_db()
    assert identity.private_key == private_key


def test_a_fixture_holds_no_secret_in_clear_and_can_be_loaded_again(run, private_key, tmp_path):
    dumped = io.StringIO()
    call_command("dumpdata", "devices", "runs", stdout=dumped)
    assert secrets.in_text(dumped.getvalue(), [private_key, "s3cret-token"]) == []
    path = tmp_path / "all.json"
    path.write_text(dumped.getvalue())
    Run.objects.all().delete()
    Identity.objects.update(private_key="")
    call_command("loaddata", str(path), verbosity=0)
    assert Identity.objects.get().private_key == private_key
    assert Run.objects.get().plan["roles"][1]["secrets"] == {"php_token": "s3cret-token"}


def test_an_ordinary_text_that_begins_like_a_fixture_value_stays_itself(identity):
    identity.private_key = "encrypted: not really"
    identity.save()
    identity.refresh_from_db()
    assert identity.private_key == "encrypted: not really"
