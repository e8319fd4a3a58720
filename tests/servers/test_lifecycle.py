"""A server that is there: changed, compared with its plan, taken down."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from forgelab.runs.models import Event, Run, Step
from forgelab.runs.plan import Plan
from forgelab.servers import decommission, drift, proposals, safety, services
from forgelab.servers.models import Server

pytestmark = pytest.mark.django_db

MANAGED = {
    "nginx": {"units": ["nginx.service"], "files": ["/etc/nginx/nginx.conf"], "directories": ["/var/www/laravel"]},
    "redis": {"units": ["redis-server.service"], "files": ["/etc/redis/forgelab.conf", "/usr/local/lib/shared"],
              "directories": []},
    "supervisor": {"units": ["supervisor.service"], "files": ["/usr/local/lib/shared"], "directories": []},
    "postgresql": {"units": ["postgresql.service"], "files": [], "directories": []},
    "firewall": {"ports": ["22/tcp", "80/tcp", "6379/tcp"]},
}  # fmt: skip
INSTALLED = {"redis": ["redis-server"], "nginx": ["nginx", "logrotate"]}


@pytest.fixture
def server(provision, end) -> Server:
    end(provision(), managed=MANAGED, installed=INSTALLED)
    return Server.objects.select_related("device").get()


@pytest.fixture
def backed_up(monkeypatch):
    """Say when the last verified backup was made."""

    def made(ago: timedelta | None):
        found = SimpleNamespace(finished_at=timezone.now() - ago) if ago is not None else None
        monkeypatch.setattr(safety, "last_backup", lambda server: found)

    made(None)
    return made


def planned(run: Run, name: str):
    return next((role for role in Plan.from_json(run.plan).roles if role.name == name), None)


def names(run: Run) -> list[str]:
    return [role.name for role in Plan.from_json(run.plan).roles]


class TestChange:
    def test_keeps_every_other_option(self, server):
        Server.objects.update(config={**server.config, "php_memory_limit": "384M"})
        server.refresh_from_db()
        run = services.server_change(server=server, changes={"php_version": "8.2"})
        after = Server.objects.get().config
        assert (after["php_version"], after["php_memory_limit"]) == ("8.2", "384M")
        assert run.request["base"]["php_version"] == "8.3"

    def test_of_a_wrong_value_names_the_option_and_stores_nothing(self, server):
        with pytest.raises(ValidationError) as refused:
            services.server_change(server=server, changes={"php_version": "7.4"})
        assert list(refused.value.message_dict) == ["config.php_version"]
        assert Server.objects.get().config == server.config
        assert Run.objects.count() == 1

    def test_leaves_behind_an_option_that_the_recipe_no_longer_has(self, server):
        server.config = {**server.config, "gone": 1}
        services.server_change(server=server, changes={})
        assert "gone" not in Server.objects.get().config

    def test_adding_a_component_sets_it_up(self, server, end):
        end(services.server_change(server=server, changes={"include_redis": False}), managed={})
        server.refresh_from_db()
        run = services.server_change(server=server, changes={"include_redis": True})
        assert "redis" in names(run)
        assert "removed" not in names(run)

    def test_removing_a_component_stops_it_before_anything_else_is_set_up(self, server):
        run = services.server_change(server=server, changes={"include_redis": False})
        order = names(run)
        assert order.index("preflight") < order.index("removed") < order.index("packages")
        assert "redis" not in order
        gone = planned(run, "removed").variables
        assert [component["name"] for component in gone["removed_components"]] == ["redis"]
        assert gone["removed_components"][0]["units"] == ["redis-server.service"]
        assert gone["removed_packages"] == []

    def test_what_another_component_still_uses_stays(self, server):
        run = services.server_change(server=server, changes={"include_redis": False})
        files = planned(run, "removed").variables["removed_components"][0]["files"]
        assert files == ["/etc/redis/forgelab.conf"]

    def test_what_another_server_on_the_device_uses_stays(self, server):
        Server.objects.create(
            name="other", server_type="other", device=server.device, secrets={},
            managed={"cache": {"units": ["redis-server.service"]}, "firewall": {"ports": ["6379/tcp"]}},
        )  # fmt: skip
        run = services.server_change(server=server, changes={"include_redis": False})
        assert planned(run, "removed").variables["removed_components"][0]["units"] == []
        assert planned(run, "firewall").variables["firewall_closed"] == ["22/tcp", "80/tcp"]

    def test_purging_names_the_packages_that_were_installed_for_it(self, server):
        run = services.server_change(server=server, changes={"include_redis": False}, purge=True)
        assert planned(run, "removed").variables["removed_packages"] == ["redis-server"]

    def test_the_firewall_closes_what_was_open_before(self, server):
        run = services.server_change(server=server, changes={"include_redis": False})
        assert planned(run, "firewall").variables["firewall_closed"] == ["22/tcp", "80/tcp", "6379/tcp"]

    def test_without_a_firewall_its_rules_and_ufw_go(self, server):
        run = services.server_change(server=server, changes={"include_firewall": False})
        variables = planned(run, "firewall").variables
        assert (variables["firewall_state"], variables["firewall_allowed"]) == ("absent", [])

    def test_what_is_gone_is_no_longer_noted_once_the_run_has_succeeded(self, server, end):
        run = services.server_change(server=server, changes={"include_redis": False})
        assert "redis" in Server.objects.get().managed
        end(run, managed={})
        assert set(Server.objects.get().managed) == {*MANAGED} - {"redis"}

    def test_what_was_not_taken_away_is_tried_again(self, server, end):
        end(services.server_change(server=server, changes={"include_redis": False}), "failed", managed={})
        Server.objects.update(config={**server.config, "include_redis": False})
        server.refresh_from_db()
        assert "removed" in names(services.server_change(server=server, changes={}))

    @pytest.mark.parametrize("told", ["text", {"redis": "x"}, {"redis": {"units": [5, None]}}, [1]])
    def test_nonsense_from_the_device_is_passed_over(self, provision, end, told):
        end(provision(), managed=told, installed=told)
        assert Server.objects.get().status == "active"


class TestADatabase:
    def test_goes_only_by_the_typed_name(self, server, backed_up):
        backed_up(timedelta(hours=1))
        with pytest.raises(ValidationError) as refused:
            services.server_change(server=server, changes={"database_engine": "mariadb"})
        assert list(refused.value.message_dict) == ["confirm"]
        assert Server.objects.get().config["database_engine"] == "postgresql"

    @pytest.mark.parametrize("ago", [None, timedelta(hours=25)])
    def test_goes_not_without_a_fresh_backup(self, server, backed_up, ago):
        backed_up(ago)
        with pytest.raises(ValidationError) as refused:
            services.server_change(server=server, changes={"database_engine": "mariadb"}, confirm="laravel")
        assert "forgelab server backup laravel" in refused.value.message_dict["without_backup"][0]

    def test_goes_with_both(self, server, backed_up):
        backed_up(timedelta(hours=23))
        run = services.server_change(server=server, changes={"database_engine": "mariadb"}, confirm="laravel")
        assert {"removed", "mariadb"} < set(names(run))

    def test_goes_by_a_sentence_that_cannot_be_said_by_accident(self, server, backed_up):
        change = {"server": server, "changes": {"database_engine": "mariadb"}, "confirm": "laravel"}
        with pytest.raises(ValidationError):
            services.server_change(**change, without_backup="yes")
        assert services.server_change(**change, without_backup="remove laravel without a backup")


class TestAFailure:
    """Of a server that ran before."""

    def change(self, server, end, reached: str, status: str = "failed") -> Server:
        run = services.server_change(server=server, changes={"php_version": "8.2"})
        position = run.steps.get(role=reached).position
        run.steps.filter(position__lt=position).update(status=Step.Status.SUCCEEDED)
        run.steps.filter(position=position).update(status=Step.Status.FAILED)
        run.steps.filter(position__gt=position).update(status=Step.Status.SKIPPED)
        end(run, status)
        return Server.objects.get()

    @pytest.mark.parametrize("status", ["failed", "cancelled"])
    def test_before_anything_was_touched_leaves_it_as_it_was(self, server, end, status):
        after = self.change(server, end, "preflight", status)
        assert (after.status, after.config) == ("active", server.config)
        assert "Nothing was changed" in after.status_detail

    def test_half_way_says_how_far_it_came(self, server, end):
        after = self.change(server, end, "php")
        assert (after.status, after.config["php_version"]) == ("active", "8.2")
        assert 'as far as "Setting up PHP 8.2"' in after.status_detail

    def test_is_forgotten_at_the_next_success(self, server, end):
        server = self.change(server, end, "php")
        end(services.server_change(server=server, changes={}))
        assert Server.objects.get().status_detail == ""


def found(run: Run, *changed: str) -> None:
    """The plan's run found these files changed."""
    for counter, path in enumerate(changed, start=1):
        Event.objects.create(
            run=run, counter=counter, kind="runner_on_ok", role="nginx", task="Configure nginx", changed=True,
            result={"changed_files": [path]}, created_at=timezone.now(),
        )  # fmt: skip


class TestPlan:
    def test_changes_nothing_here_and_checks_there(self, server):
        run = proposals.server_check(server=server, changes={"php_version": "8.2"})
        plan = Plan.from_json(run.plan)
        assert (plan.check, run.kind) == (True, "server.plan")
        assert (run.request["config"]["php_version"], run.request["base"]) == ("8.2", server.config)
        after = Server.objects.get()
        assert (after.config, after.status) == (server.config, "active")

    def test_hides_the_servers_secrets_also_those_of_components_that_go(self, server):
        run = proposals.server_check(server=server, changes={"include_redis": False})
        assert set(Plan.from_json(run.plan).hidden) == set(server.secrets.values())
        assert not any(secret in str(run.request) for secret in server.secrets.values())

    def test_refuses_what_provisioning_would_refuse(self, server):
        with pytest.raises(ValidationError) as refused:
            proposals.server_check(server=server, changes={"php_version": "7.4"})
        assert list(refused.value.message_dict) == ["config.php_version"]

    def test_waits_for_no_run_that_changes_the_server(self, server):
        services.server_change(server=server, changes={})
        with pytest.raises(ValidationError, match="being provisioned right now"):
            proposals.server_check(server=server)

    def test_applied_provisions_exactly_what_it_showed(self, server, end):
        run = proposals.server_check(server=server, changes={"php_version": "8.2"})
        end(run)
        run.refresh_from_db()
        applied = proposals.server_apply(run=run)
        assert (applied.kind, Server.objects.get().config) == ("server.provision", run.request["config"])

    @pytest.mark.parametrize(
        ("happens", "why"),
        [
            (lambda run, server: Server.objects.update(config={**server.config, "php_memory_limit": "384M"}), "since"),
            (lambda run, server: services.server_change(server=server, changes={}), "since this plan was made"),
            (lambda run, server: Run.objects.filter(pk=run.pk).update(status="failed"), "could not be made"),
            (lambda run, server: Run.objects.filter(pk=run.pk).update(status="running"), "not ready"),
            (lambda run, server: Server.objects.all().delete(), "gone"),
            (lambda run, server: Run.objects.filter(pk=run.pk).update(kind="server.provision"), "no plan"),
        ],
    )
    def test_is_not_applied_when_it_is_no_longer_what_would_happen(self, server, end, happens, why):
        run = proposals.server_check(server=server, changes={"php_version": "8.2"})
        end(run)
        happens(run, server)
        run.refresh_from_db()
        with pytest.raises(ValidationError) as refused:
            proposals.server_apply(run=run)
        assert why in refused.value.message_dict["plan"][0]


class TestDrift:
    def look(self, server, end, *changed: str, **changes) -> Server:
        run = proposals.server_check(server=server, changes=changes)
        found(run, *changed)
        end(run)
        return Server.objects.get()

    def test_is_none_where_nothing_would_change(self, server, end):
        after = self.look(server, end)
        assert (after.drift_count, after.drift_since) == (0, None)
        assert after.drift_checked_at

    def test_is_counted_and_dated_from_the_first_time_it_was_seen(self, server, end):
        first = self.look(server, end, "/etc/nginx/nginx.conf")
        again = self.look(server, end, "/etc/nginx/nginx.conf", "/etc/nginx/sites-available/x")
        assert (first.drift_count, again.drift_count) == (1, 2)
        assert again.drift_since == first.drift_since
        assert again.drift_run != first.drift_run

    def test_is_over_once_the_server_was_provisioned_again(self, server, end):
        self.look(server, end, "/etc/nginx/nginx.conf")
        end(services.server_change(server=server, changes={}))
        after = Server.objects.get()
        assert (after.drift_count, after.drift_since, after.drift_run) == (None, None, None)

    def test_is_not_what_a_plan_with_other_options_found(self, server, end):
        assert self.look(server, end, "/etc/nginx/nginx.conf", php_version="8.2").drift_count is None

    def test_is_found_although_the_recipe_has_got_an_option_since(self, server, end):
        Server.objects.update(config={k: v for k, v in server.config.items() if k != "upload_max_mb"})
        server.refresh_from_db()
        assert self.look(server, end, "/etc/nginx/nginx.conf").drift_count == 1

    def test_of_a_look_that_failed_is_unknown(self, server, end):
        run = proposals.server_check(server=server)
        found(run, "/etc/nginx/nginx.conf")
        end(run, "failed")
        assert Server.objects.get().drift_count is None


class TestEveryDay:
    @pytest.fixture(autouse=True)
    def at_three(self, settings):
        settings.DRIFT_HOUR = 3

    @pytest.fixture
    def tomorrow(self, server):
        """Tomorrow, when the look of this server was due a minute ago."""
        return drift.due_at(server, timezone.now() + timedelta(days=1)) + timedelta(minutes=1)

    def test_a_server_is_looked_at_once(self, server, end, tomorrow):
        looks = drift.check_due(tomorrow)
        assert [run.subject_id for run in looks] == [server.pk]
        end(looks[0])
        Run.objects.filter(pk=looks[0].pk).update(created_at=tomorrow)
        assert drift.check_due(tomorrow + timedelta(minutes=5)) == []
        assert drift.check_due(tomorrow + timedelta(days=1))

    def test_not_before_its_minute(self, server, tomorrow):
        assert drift.check_due(tomorrow - timedelta(minutes=2)) == []

    def test_not_while_its_device_has_a_run_to_do(self, server, make_run, end, tomorrow):
        other = make_run()
        assert drift.check_due(tomorrow) == []
        end(other)
        assert drift.check_due(tomorrow)

    def test_not_when_nobody_wants_it(self, server, tomorrow, settings):
        drift.server_watch(server=server, watch=False)
        assert drift.check_due(tomorrow) == []
        drift.server_watch(server=server, watch=True)
        settings.DRIFT_HOUR = None
        assert drift.check_due(tomorrow) == []

    def test_not_when_it_was_never_provisioned(self, provision, end):
        end(provision(), "failed")
        assert drift.check_due(timezone.now() + timedelta(days=3)) == []

    def test_a_server_whose_recipe_is_gone_does_not_keep_the_others_waiting(self, server, tomorrow, make_device):
        Server.objects.create(
            name="a", server_type="gone", device=make_device("other"), status="active", secrets={},
            provisioned_at=server.provisioned_at,
        )  # fmt: skip
        assert [run.subject_id for run in drift.check_due(tomorrow + timedelta(hours=1))] == [server.pk]

    def test_looks_are_spread_over_the_hour(self, server):
        now = timezone.now()
        minutes = {drift.due_at(Server(pk=UUID(int=n)), now).minute for n in range(200)}
        assert len(minutes) > 30


class TestDecommission:
    def test_needs_the_typed_name(self, server):
        with pytest.raises(ValidationError) as refused:
            decommission.server_decommission(server=server, confirm="larave")
        assert list(refused.value.message_dict) == ["confirm"]

    def test_needs_a_backup_where_there_is_a_database(self, server, backed_up):
        with pytest.raises(ValidationError) as refused:
            decommission.server_decommission(server=server, confirm="laravel")
        assert "without_backup" in refused.value.message_dict
        assert Server.objects.get().status == "active"

    def test_needs_a_backup_also_where_only_the_components_tell_of_a_database(self, server, backed_up):
        Server.objects.update(managed={})
        server.components.create(name="postgresql", title="PostgreSQL")
        with pytest.raises(ValidationError) as refused:
            decommission.server_decommission(server=server, confirm="laravel")
        assert "without_backup" in refused.value.message_dict

    def test_takes_everything_away_and_leaves_ssh_open(self, server, backed_up):
        backed_up(timedelta(hours=1))
        run = decommission.server_decommission(server=server, confirm="laravel")
        assert names(run) == ["facts", "removed", "firewall"]
        removed = planned(run, "removed").variables
        assert {component["name"] for component in removed["removed_components"]} == {*MANAGED} - {"firewall"}
        assert removed["removed_packages"] == []
        firewall = planned(run, "firewall").variables
        assert (firewall["firewall_allowed"], "firewall_state" in firewall) == ([], False)
        assert Server.objects.get().status == "decommissioning"

    def test_purges_what_was_installed_for_it_and_nothing_that_the_device_needs(self, server, backed_up):
        backed_up(timedelta(hours=1))
        run = decommission.server_decommission(server=server, confirm="laravel", purge=True)
        assert set(planned(run, "removed").variables["removed_packages"]) == {"redis-server", "nginx"}

    def test_frees_the_device_and_keeps_the_record_of_the_runs(self, server, backed_up, end, provision):
        backed_up(timedelta(hours=1))
        end(decommission.server_decommission(server=server, confirm="laravel"))
        assert not Server.objects.exists()
        assert Run.objects.filter(subject_id=server.pk).count() == 2
        assert provision("another").device == server.device

    @pytest.mark.parametrize("status", ["failed", "cancelled"])
    def test_that_did_not_succeed_says_so(self, server, backed_up, end, status):
        backed_up(timedelta(hours=1))
        end(decommission.server_decommission(server=server, confirm="laravel"), status)
        after = Server.objects.get()
        assert after.status == "failed"
        assert "did not come to its end" in after.status_detail

    def test_of_a_server_that_others_use_is_refused(self, server, backed_up, monkeypatch):
        backed_up(timedelta(hours=1))
        monkeypatch.setattr(decommission, "server_users", lambda server: [Server(name="worker")])
        with pytest.raises(ValidationError, match="worker uses laravel"):
            decommission.server_decommission(server=server, confirm="laravel")

    def test_waits_for_no_run_of_the_server(self, server):
        services.server_change(server=server, changes={})
        with pytest.raises(ValidationError, match="being provisioned right now"):
            decommission.server_decommission(server=server, confirm="laravel")


class TestForget:
    def test_removes_the_record_only(self, server):
        decommission.server_forget(server=server, confirm="laravel")
        assert not Server.objects.exists()
        assert Run.objects.count() == 1

    def test_needs_the_typed_name(self, server):
        with pytest.raises(ValidationError):
            decommission.server_forget(server=server, confirm="")
        assert Server.objects.exists()

    def test_is_refused_while_a_run_is_not_done(self, server):
        services.server_change(server=server, changes={})
        with pytest.raises(ValidationError, match="Cancel that run first"):
            decommission.server_forget(server=server, confirm="laravel")
