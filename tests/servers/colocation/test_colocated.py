"""What the plan of a server takes over from the others on its device, and what it leaves them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.plans.provision import server_plan
from forgelab.servers.provisioning import services
from forgelab.servers.removal import decommission
from forgelab.servers.spec import links
from forgelab.servers.spec.server_spec import with_recipe
from tests.servers.helpers import names, planned

pytestmark = pytest.mark.django_db
NETWORK, OTHER = "10.78.0.0/24", "10.79.0.0/24"
OPEN = {"database-server": "5432/tcp", "cache-server": "6379/tcp", "laravel-web-server": "80/tcp"}


@pytest.fixture
def there(provision, end):
    """A server that is on the device and runs, with what its run has told of ports and packages."""

    def made(server_type: str, name: str, *, managed: dict | None = None, needs: dict | None = None, **config: Any):
        run = provision(name, server_type=server_type, config=config)
        firewall = planned(run, "firewall")
        told = {"firewall": {"ports": [OPEN[server_type]]}} if firewall else {}
        end(run, managed={**told, **(managed or {})}, needs=needs or {})
        return Server.objects.select_related("device").get(name=name)

    return made


def opened(plan: Plan) -> set[tuple[str, tuple[str, ...] | None]] | None:
    """Port and who may connect, of the firewall's rules."""
    role = next((role for role in plan.roles if role.name == "firewall"), None)
    if role is None:
        return None
    return {(str(item["port"]), _sources(item)) for item in role.variables["firewall_allowed"]}


def _sources(item: dict[str, Any]) -> tuple[str, ...] | None:
    return tuple(item["from"]) if "from" in item else None


def plan_of(name: str) -> Plan:
    server = Server.objects.select_related("device").get(name=name)
    return server_plan(with_recipe(server, recipe_catalog().get(server.server_type)))


def took(run: Run, name: str = "firewall") -> dict[str, Any]:
    role = planned(run, name)
    assert role
    return dict(role.variables)


class TestFirewall:
    def test_all_plans_of_a_device_open_the_same(self, there) -> None:
        there("database-server", "books", allowed_networks=[NETWORK])
        there("cache-server", "fast", allowed_networks=[OTHER])
        there("laravel-web-server", "shop")
        everything = {("22", None), ("80", None), ("443", None), ("5432", (NETWORK,)), ("6379", (OTHER,))}
        assert opened(plan_of("books")) == opened(plan_of("fast")) == opened(plan_of("shop")) == everything

    def test_alone_a_server_opens_its_own(self, there) -> None:
        there("cache-server", "fast", allowed_networks=[OTHER])
        assert opened(plan_of("fast")) == {("22", None), ("6379", (OTHER,))}

    def test_one_port_is_open_to_whom_any_server_lets_in(self, there, settings, tmp_path) -> None:
        there("database-server", "books", allowed_networks=[NETWORK])
        other = there("cache-server", "fast")
        cache = recipe_catalog().get("cache-server")
        Server.objects.filter(pk=other.pk).update(server_type="mine")
        text = (
            recipe_catalog().folders[0] / "cache-server/manifest.yaml"
        ).read_text().replace("id: cache-server", "id: mine").replace('port: "6379"', 'port: "5432"')  # fmt: skip
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine/manifest.yaml").write_text(text)
        settings.RECIPES_DIR = tmp_path
        Server.objects.filter(pk=other.pk).update(config={**cache.clean({}), "allowed_networks": [OTHER]})
        assert opened(plan_of("books")) == opened(plan_of("fast")) == {
            ("22", None), ("5432", (NETWORK,)), ("5432", (OTHER,)),
        }  # fmt: skip

    def test_one_without_a_firewall_is_not_shut_off_by_that_of_another(self, there) -> None:
        there("laravel-web-server", "shop", include_firewall=False)
        assert opened(plan_of("shop")) is None
        there("cache-server", "fast")
        assert opened(plan_of("shop")) == opened(plan_of("fast")) == {
            ("22", None), ("80", None), ("443", None), ("6379", ()),
        }  # fmt: skip

    def test_one_that_is_being_decommissioned_or_never_was_does_not_count(self, there, provision, end) -> None:
        there("cache-server", "fast")
        there("database-server", "books", allowed_networks=[NETWORK])
        Server.objects.filter(name="books").update(status="decommissioning")
        assert opened(plan_of("fast")) == {("22", None), ("6379", ())}
        Server.objects.filter(name="books").delete()
        end(provision("never", server_type="database-server"), "failed")
        assert opened(plan_of("fast")) == {("22", None), ("6379", ())}

    def test_a_port_that_was_open_is_closed_unless_another_wants_it(self, there) -> None:
        there("database-server", "books", allowed_networks=[NETWORK], managed={"firewall": {"ports": ["5432/tcp"]}})
        fast = there("cache-server", "fast", managed={"firewall": {"ports": ["22/tcp", "5432/tcp", "6379/tcp"]}})
        variables = took(services.server_change(server=fast, changes={"cache_engine": "memcached"}, actor=SYSTEM))
        assert {"6379/tcp", "5432/tcp"} <= set(variables["firewall_closed"])
        assert {"port": "5432", "from": [NETWORK]} in variables["firewall_allowed"]

    def test_taking_one_down_leaves_the_others_open(self, there) -> None:
        there("database-server", "books", allowed_networks=[NETWORK])
        there("laravel-web-server", "shop", include_firewall=False)
        fast = there("cache-server", "fast", allowed_networks=[OTHER])
        run = decommission.server_decommission(server=fast, confirm="fast", actor=SYSTEM)
        variables = took(run)
        assert opened(Plan.from_json(run.plan)) == {("22", None), ("80", None), ("443", None), ("5432", (NETWORK,))}
        assert "6379/tcp" in variables["firewall_closed"]
        assert (variables.get("firewall_state"), variables.get("firewall_enabled", True)) == (None, True)

    def test_where_nobody_left_wants_a_firewall_it_goes_with_all_its_ports(self, there) -> None:
        there("laravel-web-server", "shop", include_firewall=False)
        fast = there("cache-server", "fast")
        Server.objects.filter(name="shop").update(managed={"firewall": {"ports": ["80/tcp"]}})
        variables = took(decommission.server_decommission(server=fast, confirm="fast", actor=SYSTEM))
        assert (variables["firewall_state"], variables["firewall_allowed"]) == ("absent", [])
        assert set(variables["firewall_closed"]) == {"6379/tcp", "80/tcp"}

    def test_the_last_one_leaves_ssh_open_alone(self, there) -> None:
        fast = there("cache-server", "fast")
        variables = took(decommission.server_decommission(server=fast, confirm="fast", actor=SYSTEM))
        assert variables == {"firewall_allowed": [], "firewall_closed": ["6379/tcp"], "firewall_enabled": False}

    def test_of_a_server_that_is_not_known_any_more_nothing_is_closed(self, there) -> None:
        fast = there("cache-server", "fast", managed={"firewall": {"ports": ["6379/tcp", "8080/tcp"]}})
        Server.objects.create(name="old", server_type="gone", device=fast.device, secrets={}, status="active",
                              managed={"firewall": {"ports": ["8080/tcp"]}})  # fmt: skip
        run = decommission.server_decommission(server=fast, confirm="fast", actor=SYSTEM)
        assert took(run)["firewall_closed"] == ["6379/tcp"]

    def test_an_address_that_cannot_be_found_is_reported_with_the_server_it_is_needed_for(
        self, there, provision, make_device, monkeypatch
    ) -> None:
        fast = there("cache-server", "fast")
        there("database-server", "books", allowed_networks=[NETWORK])
        far = make_device("far", address="far.invalid")
        Server.objects.create(name="jobs", server_type="laravel-worker-server", device=far, secrets={})
        books = Server.objects.get(name="books")
        Server.objects.filter(pk=books.pk).update(config={**books.config, "allowed_servers": ["jobs", "gone"]})
        monkeypatch.setattr(links, "_networks", lambda address: [])
        with pytest.raises(ValidationError, match=r"books, on the same device, names others: .*far\.invalid of far"):
            services.server_change(server=fast, changes={}, actor=SYSTEM)


class TestPhp:
    def test_packages_and_fpm_are_those_of_all(self, there) -> None:
        there("database-server", "books", managed={"firewall": {"ports": []}})
        there("laravel-web-server", "shop")
        there_is = Server.objects.get(name="shop").device
        worker = Server(name="jobs", server_type="laravel-worker-server", device=there_is, secrets={})
        recipe = recipe_catalog().get("laravel-worker-server")
        worker.config = recipe.clean({"database_server": "books", "include_cache": False})
        plan = server_plan(with_recipe(worker, recipe))
        variables = next(role for role in plan.roles if role.name == "php").variables
        assert variables["php_fpm"] is True
        assert "fpm" in variables["php_extensions"]
        assert variables["php_extra_extensions"] == ["memcached"]


class TestMemory:
    def test_what_is_reserved_for_others_before_is_not_counted_on(self, there) -> None:
        there("database-server", "books")
        there("cache-server", "fast")
        reserved = {name: plan_of(name).roles[0].variables for name in ("books", "fast")}
        assert reserved == {"books": {}, "fast": {"facts_reserved_mb": 1024}}

    def test_and_stays_so_when_other_servers_come_or_go(self, there) -> None:
        there("database-server", "books")
        there("cache-server", "fast")
        Server.objects.filter(name="books").delete()
        assert plan_of("fast").roles[0].variables == {"facts_reserved_mb": 1024}


class TestTakingAway:
    UNITS = {"php": {"units": ["php8.3-fpm.service"], "files": ["/etc/php/8.3/fpm/php.ini"], "directories": []}}

    def test_what_another_server_uses_stays_also_what_was_installed_for_nobody(self, there, end) -> None:
        there("cache-server", "fast", managed={"redis": {"packages": ["redis-server"]}},
              needs={"redis": ["redis-server", "redis-tools"]})  # fmt: skip
        shop = there("laravel-web-server", "shop", managed={"php": {"packages": ["php8.3-cli", "redis-tools"]}},
                     needs={"php": ["php8.3-cli"]})  # fmt: skip
        removed = took(
            decommission.server_decommission(server=shop, confirm="shop", purge=True, actor=SYSTEM), "decommission"
        )
        assert removed["decommission_packages"] == ["php8.3-cli"]
        assert removed["decommission_kept_packages"] == ["redis-server", "redis-tools"]

    def test_the_units_and_files_of_a_role_that_both_have_stay(self, there) -> None:
        there("laravel-web-server", "shop", managed=self.UNITS)
        blog = there("laravel-web-server", "blog", managed=self.UNITS)
        removed = took(decommission.server_decommission(server=blog, confirm="blog", actor=SYSTEM), "decommission")[
            "decommission_components"
        ]
        php = next(component for component in removed if component["name"] == "php")
        assert (php["units"], php["files"]) == ([], [])

    def test_what_is_only_needed_is_no_component_to_take_away(self, there) -> None:
        shop = there("laravel-web-server", "shop", needs={"composer": ["composer"]})
        assert shop.managed["composer"] == {"needs": ["composer"]}
        run = decommission.server_decommission(server=shop, confirm="shop", actor=SYSTEM)
        assert took(run, "decommission").get("decommission_components", []) == []

    def test_what_is_needed_is_what_the_latest_run_said(self, there, end) -> None:
        shop = there("laravel-web-server", "shop", managed=self.UNITS, needs={"php": ["php8.3-cli"], "nodejs": ["x"]})
        end(services.server_change(server=shop, changes={}, actor=SYSTEM), managed={}, needs={"php": ["php8.4-cli"]})
        shop.refresh_from_db()
        assert shop.managed["php"] == {**self.UNITS["php"], "needs": ["php8.4-cli"]}
        assert "nodejs" not in shop.managed

    @pytest.mark.parametrize("told", ["text", {"php": "x"}, {"php": [5]}, [1]])
    def test_nonsense_about_needs_is_passed_over(self, provision, end, told: object) -> None:
        end(provision("shop", server_type="laravel-web-server"), needs=told)
        server = Server.objects.get()
        assert (server.status, server.managed) == ("active", {})


class TestAtOnce:
    """Two runs wait for each other on the device; but a plan that takes away was made before the other's run."""

    def test_nothing_is_decommissioned_while_another_server_is_set_up(self, there, provision) -> None:
        fast = there("cache-server", "fast", managed={"redis": {"units": ["redis-server.service"]}})
        provision("books", server_type="database-server")
        with pytest.raises(ValidationError, match='"Provision books" is not done yet on homelab-server-01'):
            decommission.server_decommission(server=fast, confirm="fast", actor=SYSTEM)
        with pytest.raises(ValidationError, match="one of the two removes"):
            services.server_change(server=fast, changes={"cache_engine": "memcached"}, actor=SYSTEM)

    def test_nothing_is_set_up_while_another_server_is_decommissioned(self, there, provision, end) -> None:
        fast = there("cache-server", "fast")
        run = decommission.server_decommission(server=fast, confirm="fast", actor=SYSTEM)
        with pytest.raises(ValidationError, match='"Decommission fast" is not done yet'):
            provision("books", server_type="database-server")
        end(run)
        assert "decommission" not in names(provision("books", server_type="database-server"))

    def test_two_that_only_set_up_are_queued(self, provision) -> None:
        provision("books", server_type="database-server")
        assert provision("fast", server_type="cache-server")
