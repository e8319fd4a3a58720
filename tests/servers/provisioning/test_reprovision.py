"""A server that is there, provisioned with other options: what comes, what goes, and what a failure leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.runs.models import Run, Step
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from tests.servers.helpers import MANAGED, names, planned

pytestmark = pytest.mark.django_db


class TestChange:
    def test_keeps_every_other_option(self, server):
        Server.objects.update(config={**server.config, "php_memory_limit": "384M"})
        server.refresh_from_db()
        run = services.server_change(server=server, changes={"php_version": "8.2"}, actor=SYSTEM)
        after = Server.objects.get().config
        assert (after["php_version"], after["php_memory_limit"]) == ("8.2", "384M")
        assert run.request["base"]["php_version"] == "8.3"

    def test_of_a_wrong_value_names_the_option_and_stores_nothing(self, server):
        with pytest.raises(ValidationError) as refused:
            services.server_change(server=server, changes={"php_version": "7.4"}, actor=SYSTEM)
        assert list(refused.value.message_dict) == ["config.php_version"]
        assert Server.objects.get().config == server.config
        assert Run.objects.count() == 1

    def test_leaves_behind_an_option_that_the_recipe_no_longer_has(self, server):
        server.config = {**server.config, "gone": 1}
        services.server_change(server=server, changes={}, actor=SYSTEM)
        assert "gone" not in Server.objects.get().config

    def test_adding_a_component_sets_it_up(self, server, end):
        end(services.server_change(server=server, changes={"include_redis": False}, actor=SYSTEM), managed={})
        server.refresh_from_db()
        run = services.server_change(server=server, changes={"include_redis": True}, actor=SYSTEM)
        assert "redis" in names(run)
        assert "decommission" not in names(run)

    def test_removing_a_component_stops_it_before_anything_else_is_set_up(self, server):
        run = services.server_change(server=server, changes={"include_redis": False}, actor=SYSTEM)
        order = names(run)
        assert order.index("preflight") < order.index("decommission") < order.index("packages")
        assert "redis" not in order
        gone = planned(run, "decommission").variables
        assert [component["name"] for component in gone["decommission_components"]] == ["redis"]
        assert gone["decommission_components"][0]["units"] == ["redis-server.service"]
        assert gone["decommission_packages"] == []

    def test_what_another_component_still_uses_stays(self, server):
        run = services.server_change(server=server, changes={"include_redis": False}, actor=SYSTEM)
        files = planned(run, "decommission").variables["decommission_components"][0]["files"]
        assert files == ["/etc/redis/forgelab.conf"]

    def test_what_another_server_on_the_device_uses_stays(self, server):
        Server.objects.create(
            name="other", server_type="other", device=server.device, secrets={},
            managed={"cache": {"units": ["redis-server.service"]}, "firewall": {"ports": ["6379/tcp"]}},
        )  # fmt: skip
        run = services.server_change(server=server, changes={"include_redis": False}, actor=SYSTEM)
        assert planned(run, "decommission").variables["decommission_components"][0]["units"] == []
        assert planned(run, "firewall").variables["firewall_closed"] == ["22/tcp", "80/tcp"]

    def test_purging_names_the_packages_that_were_installed_for_it(self, server):
        run = services.server_change(server=server, changes={"include_redis": False}, purge=True, actor=SYSTEM)
        assert planned(run, "decommission").variables["decommission_packages"] == ["redis-server"]

    def test_the_firewall_closes_what_was_open_before(self, server):
        run = services.server_change(server=server, changes={"include_redis": False}, actor=SYSTEM)
        assert planned(run, "firewall").variables["firewall_closed"] == ["22/tcp", "80/tcp", "6379/tcp"]

    def test_without_a_firewall_its_rules_and_ufw_go(self, server):
        run = services.server_change(server=server, changes={"include_firewall": False}, actor=SYSTEM)
        variables = planned(run, "firewall").variables
        assert (variables["firewall_state"], variables["firewall_allowed"]) == ("absent", [])

    def test_what_is_gone_is_no_longer_noted_once_the_run_has_succeeded(self, server, end):
        run = services.server_change(server=server, changes={"include_redis": False}, actor=SYSTEM)
        assert "redis" in Server.objects.get().managed
        end(run, managed={})
        assert set(Server.objects.get().managed) == {*MANAGED} - {"redis"}

    def test_what_was_not_taken_away_is_tried_again(self, server, end):
        end(services.server_change(server=server, changes={"include_redis": False}, actor=SYSTEM), "failed", managed={})
        Server.objects.update(config={**server.config, "include_redis": False})
        server.refresh_from_db()
        assert "decommission" in names(services.server_change(server=server, changes={}, actor=SYSTEM))

    @pytest.mark.parametrize("told", ["text", {"redis": "x"}, {"redis": {"units": [5, None]}}, [1]])
    def test_nonsense_from_the_device_is_passed_over(self, provision, end, told):
        end(provision(), managed=told, installed=told)
        assert Server.objects.get().status == "active"


class TestADatabase:
    def test_goes_only_by_the_typed_name(self, server, backed_up):
        backed_up(timedelta(hours=1))
        with pytest.raises(ValidationError) as refused:
            services.server_change(server=server, changes={"database_engine": "mariadb"}, actor=SYSTEM)
        assert list(refused.value.message_dict) == ["confirm"]
        assert Server.objects.get().config["database_engine"] == "postgresql"

    @pytest.mark.parametrize("ago", [None, timedelta(hours=25)])
    def test_goes_not_without_a_fresh_backup(self, server, backed_up, ago):
        backed_up(ago)
        with pytest.raises(ValidationError) as refused:
            services.server_change(
                server=server, changes={"database_engine": "mariadb"}, confirm="laravel", actor=SYSTEM
            )
        assert "forgelab server backup laravel" in refused.value.message_dict["without_backup"][0]

    def test_goes_with_both(self, server, backed_up):
        backed_up(timedelta(hours=23))
        run = services.server_change(
            server=server, changes={"database_engine": "mariadb"}, confirm="laravel", actor=SYSTEM
        )
        assert {"decommission", "mariadb"} < set(names(run))

    def test_goes_by_a_sentence_that_cannot_be_said_by_accident(self, server, backed_up):
        change = {"server": server, "changes": {"database_engine": "mariadb"}, "confirm": "laravel"}
        with pytest.raises(ValidationError):
            services.server_change(**change, without_backup="yes", actor=SYSTEM)
        assert services.server_change(**change, without_backup="remove laravel without a backup", actor=SYSTEM)


class TestAFailure:
    """Of a server that ran before."""

    def change(self, server, end, reached: str, status: str = "failed") -> Server:
        run = services.server_change(server=server, changes={"php_version": "8.2"}, actor=SYSTEM)
        position = run.steps.get(role=reached).position
        run.steps.filter(position__lt=position).update(status=Step.Status.SUCCEEDED)
        run.steps.filter(position=position).update(status=Step.Status.FAILED)
        run.steps.filter(position__gt=position).update(status=Step.Status.SKIPPED)
        end(run, status)
        return Server.objects.get()

    def test_again_after_it_was_lost_does_not_forget_what_the_lost_one_has_done(self, server, end):
        lost = self.change(server, end, "nginx", "lost")
        again = Run.objects.get(status="queued")
        again.steps.update(status=Step.Status.SKIPPED)
        end(again, "failed")
        after = Server.objects.get()
        assert (after.status, after.config) == ("active", lost.config)
        assert "Nothing was changed" not in after.status_detail
        assert 'as far as "Setting up Nginx"' in after.status_detail

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
        end(services.server_change(server=server, changes={}, actor=SYSTEM))
        assert Server.objects.get().status_detail == ""
