"""What provisioning a server would change: asked, and applied as it was shown."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.servers.changes import dry_run
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from tests.servers.helpers import planned

pytestmark = pytest.mark.django_db


class TestPlan:
    def test_changes_nothing_here_and_checks_there(self, server):
        run = dry_run.server_plan(server=server, changes={"php_version": "8.2"}, actor=SYSTEM)
        plan = Plan.from_json(run.plan)
        assert (plan.check, run.kind) == (True, "server.plan")
        assert (run.request["config"]["php_version"], run.request["base"]) == ("8.2", server.config)
        after = Server.objects.get()
        assert (after.config, after.status) == (server.config, "active")

    def test_hides_the_servers_secrets_also_those_of_components_that_go(self, server):
        run = dry_run.server_plan(server=server, changes={"include_redis": False}, actor=SYSTEM)
        assert set(Plan.from_json(run.plan).hidden) == set(server.secrets.values())
        assert not any(secret in str(run.request) for secret in server.secrets.values())

    def test_refuses_what_provisioning_would_refuse(self, server):
        with pytest.raises(ValidationError) as refused:
            dry_run.server_plan(server=server, changes={"php_version": "7.4"}, actor=SYSTEM)
        assert list(refused.value.message_dict) == ["config.php_version"]

    def test_waits_for_no_run_that_changes_the_server(self, server):
        services.server_change(server=server, changes={}, actor=SYSTEM)
        with pytest.raises(ValidationError, match="being provisioned right now"):
            dry_run.server_plan(server=server, actor=SYSTEM)

    def test_applied_provisions_exactly_what_it_showed(self, server, end):
        run = dry_run.server_plan(server=server, changes={"php_version": "8.2"}, actor=SYSTEM)
        end(run)
        run.refresh_from_db()
        applied = services.server_apply(run=run, actor=SYSTEM)
        assert (applied.kind, Server.objects.get().config) == ("server.provision", run.request["config"])

    def test_is_not_applied_when_another_server_on_the_device_has_changed_what_it_would_do(
        self, server, end, provision
    ):
        run = dry_run.server_plan(server=server, changes={"php_version": "8.2"}, actor=SYSTEM)
        end(run)
        run.refresh_from_db()
        end(provision("fast", server_type="cache-server", config={"cache_engine": "memcached"}))
        with pytest.raises(ValidationError, match="another server on the device"):
            services.server_apply(run=run, actor=SYSTEM)
        server.refresh_from_db()
        assert (server.status, server.config) == ("active", run.request["base"])

    def test_of_an_earlier_forgelab_is_not_applied(self, server, end):
        run = dry_run.server_plan(server=server, actor=SYSTEM)
        end(run)
        run.refresh_from_db()
        run.plan = {name: value for name, value in run.plan.items() if name != "format"}
        run.save()
        with pytest.raises(ValidationError, match="ForgeLab itself"):
            services.server_apply(run=run, actor=SYSTEM)

    def test_is_applied_with_purge_though_no_plan_shows_it(self, server, end):
        run = dry_run.server_plan(server=server, changes={"include_redis": False}, actor=SYSTEM)
        end(run)
        run.refresh_from_db()
        applied = services.server_apply(run=run, purge=True, actor=SYSTEM)
        assert planned(applied, "decommission").variables["decommission_packages"]

    @pytest.mark.parametrize(
        ("happens", "why"),
        [
            (lambda run, server: Server.objects.update(config={**server.config, "php_memory_limit": "384M"}), "since"),
            (
                lambda run, server: services.server_change(server=server, changes={}, actor=SYSTEM),
                "since this plan was made",
            ),
            (lambda run, server: Run.objects.filter(pk=run.pk).update(status="failed"), "could not be made"),
            (lambda run, server: Run.objects.filter(pk=run.pk).update(status="running"), "not ready"),
            (lambda run, server: Server.objects.all().delete(), "gone"),
            (lambda run, server: Run.objects.filter(pk=run.pk).update(kind="server.provision"), "no plan"),
        ],
    )
    def test_is_not_applied_when_it_is_no_longer_what_would_happen(self, server, end, happens, why):
        run = dry_run.server_plan(server=server, changes={"php_version": "8.2"}, actor=SYSTEM)
        end(run)
        happens(run, server)
        run.refresh_from_db()
        with pytest.raises(ValidationError) as refused:
            services.server_apply(run=run, actor=SYSTEM)
        assert why in refused.value.message_dict["plan"][0]
