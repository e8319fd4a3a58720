"""Taking a server down, or only forgetting it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.runs.models import Run
from forgelab.servers.changes import checks
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.servers.removal import decommission
from tests.servers.helpers import MANAGED, names, planned

pytestmark = pytest.mark.django_db


class TestDecommission:
    def test_needs_the_typed_name(self, server):
        with pytest.raises(ValidationError) as refused:
            decommission.server_decommission(server=server, confirm="larave", actor=SYSTEM)
        assert list(refused.value.message_dict) == ["confirm"]

    def test_needs_a_backup_where_there_is_a_database(self, server, backed_up):
        with pytest.raises(ValidationError) as refused:
            decommission.server_decommission(server=server, confirm="laravel", actor=SYSTEM)
        assert "without_backup" in refused.value.message_dict
        assert Server.objects.get().status == "active"

    def test_needs_a_backup_also_where_only_the_components_show_a_database(self, server, backed_up):
        Server.objects.update(managed={})
        server.components.create(name="postgresql", title="PostgreSQL")
        with pytest.raises(ValidationError) as refused:
            decommission.server_decommission(server=server, confirm="laravel", actor=SYSTEM)
        assert "without_backup" in refused.value.message_dict

    def test_takes_everything_away_and_leaves_ssh_open(self, server, backed_up):
        backed_up(timedelta(hours=1))
        run = decommission.server_decommission(server=server, confirm="laravel", actor=SYSTEM)
        assert names(run) == ["facts", "decommission", "firewall"]
        removed = planned(run, "decommission").variables
        assert {component["name"] for component in removed["decommission_components"]} == {*MANAGED} - {"firewall"}
        assert removed["decommission_packages"] == []
        firewall = planned(run, "firewall").variables
        assert (firewall["firewall_allowed"], "firewall_state" in firewall) == ([], False)
        assert Server.objects.get().status == "decommissioning"

    def test_purges_what_was_installed_for_it_and_nothing_that_the_device_needs(self, server, backed_up):
        backed_up(timedelta(hours=1))
        run = decommission.server_decommission(server=server, confirm="laravel", purge=True, actor=SYSTEM)
        assert set(planned(run, "decommission").variables["decommission_packages"]) == {"redis-server", "nginx"}

    def test_frees_the_device_and_keeps_the_record_of_the_runs(self, server, backed_up, end, provision):
        backed_up(timedelta(hours=1))
        end(decommission.server_decommission(server=server, confirm="laravel", actor=SYSTEM))
        assert not Server.objects.exists()
        assert Run.objects.of(server).count() == 2
        assert provision("another").device == server.device

    @pytest.mark.parametrize("status", ["failed", "cancelled"])
    def test_that_did_not_succeed_says_so(self, server, backed_up, end, status):
        backed_up(timedelta(hours=1))
        end(decommission.server_decommission(server=server, confirm="laravel", actor=SYSTEM), status)
        after = Server.objects.get()
        assert after.status == "failed"
        assert "did not come to its end" in after.status_detail

    def test_of_a_server_that_others_use_is_refused(self, server, backed_up, monkeypatch):
        backed_up(timedelta(hours=1))
        monkeypatch.setattr(checks, "server_users", lambda name: [Server(name="worker")])
        with pytest.raises(ValidationError, match="worker uses laravel"):
            decommission.server_decommission(server=server, confirm="laravel", actor=SYSTEM)

    def test_waits_for_no_run_of_the_server(self, server):
        services.server_change(server=server, changes={}, actor=SYSTEM)
        with pytest.raises(ValidationError, match="being provisioned right now"):
            decommission.server_decommission(server=server, confirm="laravel", actor=SYSTEM)


class TestForget:
    def test_removes_the_record_only(self, server):
        decommission.server_forget(server=server, confirm="laravel", actor=SYSTEM)
        assert not Server.objects.exists()
        assert Run.objects.count() == 1

    def test_needs_the_typed_name(self, server):
        with pytest.raises(ValidationError):
            decommission.server_forget(server=server, confirm="", actor=SYSTEM)
        assert Server.objects.exists()

    def test_is_refused_while_a_run_is_not_done(self, server):
        services.server_change(server=server, changes={}, actor=SYSTEM)
        with pytest.raises(ValidationError, match="Cancel that run first"):
            decommission.server_forget(server=server, confirm="laravel", actor=SYSTEM)
