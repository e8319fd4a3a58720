from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from forgelab.servers.models import Server

pytestmark = pytest.mark.django_db


def test_what_was_noted_under_a_roles_old_name_is_found_under_its_new_one(server: Server) -> None:
    record = {"needs": ["python3-psycopg2"]}
    Server.objects.update(managed={"peers": record, "nginx": {"files": ["/etc/nginx/forgelab.conf"]}})
    server.components.create(name="peers", title="Connections to other servers")
    import_module("forgelab.servers.migrations.0006_role_connection_check").rename(apps, None)
    server.refresh_from_db()
    assert sorted(server.managed) == ["connection_check", "nginx"]
    assert server.managed["connection_check"] == record
    assert "peers" not in server.components.values_list("name", flat=True)
