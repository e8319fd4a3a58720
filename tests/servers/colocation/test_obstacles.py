"""Which servers can be on one device together, and who is in the way of which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.colocation.obstacles import obstacle
from forgelab.servers.models import Server
from forgelab.servers.placement.ranking import placement_rank
from forgelab.servers.provisioning import services
from forgelab.servers.spec.server_spec import draft, with_recipe

pytestmark = pytest.mark.django_db
APP, WEB, WORKER, DATABASE, CACHE = (
    "laravel-app-server", "laravel-web-server", "laravel-worker-server", "database-server", "cache-server",
)  # fmt: skip


@pytest.fixture
def there(provision, end):
    """A server that is on the device and runs."""

    def made(server_type: str, name: str, **config: Any) -> Server:
        end(provision(name, server_type=server_type, config=config))
        return Server.objects.select_related("device").get(name=name)

    return made


def asked(server: Server, server_type: str, config: dict[str, Any] | None = None, name: str = "") -> str:
    recipe = recipe_catalog().get(server_type)
    return obstacle(server.device.servers.all(), draft(recipe, name=name, config=config))


def test_a_database_a_cache_and_a_worker_that_uses_both_go_together(there, provision, device) -> None:
    there(DATABASE, "books")
    there(CACHE, "fast")
    run = provision("jobs", server_type=WORKER, config={"database_server": "books", "cache_server": "fast"})
    assert run.device == device


@pytest.mark.parametrize(
    ("here", "new", "sentence"),
    [
        ((DATABASE, {}), (DATABASE, {}), "has PostgreSQL there, which a device can have once"),
        ((CACHE, {}), (APP, {}), "has Redis there, which a device can have once"),
        ((CACHE, {}), (APP, {"include_redis": False}), ""),
        ((CACHE, {"cache_engine": "memcached"}), (APP, {}), ""),
        ((CACHE, {}), (CACHE, {"cache_engine": "memcached"}), ""),
        ((DATABASE, {"database_engine": "mysql"}), (DATABASE, {"database_engine": "mariadb"}),
         "has MySQL there, which MariaDB cannot be beside"),
        ((DATABASE, {"database_engine": "mariadb"}), (APP, {"include_backups": False}), ""),
        ((DATABASE, {"database_engine": "mariadb"}), (APP, {"backups_time": "04:00"}),
         "has Backups there with backups_time 02:00, and new would have 04:00: both need the same"),
        ((WEB, {}), (WEB, {}), ""),
        ((WEB, {}), (WEB, {"php_version": "8.2"}),
         "has PHP there with php_version 8.3, and new would have 8.2: both need the same"),
        ((WEB, {"domain": "shop.lan"}), (WEB, {"domain": "shop.lan"}), "has Nginx for nginx_domain shop.lan there"),
        ((WEB, {}), (WEB, {"nodejs_version": "22"}), "has Node.js there with nodejs_version 20, and new would have 22"),
    ],
)  # fmt: skip
def test_what_goes_together_and_what_is_in_the_way(there, here, new, sentence: str) -> None:
    server = there(here[0], "old", **here[1])
    said = asked(server, new[0], new[1], "new")
    assert said.startswith(f"old is on it already and {sentence}") if sentence else said == ""


def test_a_web_server_and_a_worker_share_php(there) -> None:
    books = there(DATABASE, "books")
    there(WEB, "shop")
    config = {"database_server": "books", "include_cache": False}
    assert asked(books, WORKER, config, "jobs") == ""
    assert "php_version 8.3, and jobs would have 8.4" in asked(books, WORKER, {**config, "php_version": "8.4"}, "jobs")


def test_without_a_config_the_defaults_are_asked_for(there) -> None:
    cache = there(CACHE, "fast")
    assert asked(cache, APP).startswith("fast is on it already and has Redis there")
    assert asked(cache, WORKER) == asked(cache, WEB) == asked(cache, DATABASE) == ""
    assert asked(there(WEB, "shop"), WEB, {"php_version": "8.2"}).endswith(
        "and the new server would have 8.2: both need the same"
    )


def test_one_application_in_two_environments_is_one_folder_and_refused(there) -> None:
    server = there(WEB, "shop-production")
    said = asked(server, WEB, {}, "shop-staging")
    assert said == (
        "shop-production is on it already and has Nginx for nginx_app_name shop there: "
        "shop-staging must have another one"
    )


def test_a_server_is_not_in_its_own_way(there) -> None:
    server = there(DATABASE, "books")
    recipe = recipe_catalog().get(DATABASE)
    assert obstacle([server], with_recipe(server, recipe)) == ""


def test_the_ranking_knows_of_it(there) -> None:
    there(CACHE, "fast")
    recipe = recipe_catalog().get(APP)
    assert any("fast is on it already" in said for said in placement_rank(draft(recipe))[0].refusals)
    assert placement_rank(draft(recipe, config={"include_redis": False}, name="shop"))[0].fits


def test_a_change_that_would_be_in_the_way_is_refused(there) -> None:
    there(CACHE, "fast")
    shop = there(WEB, "shop")
    with pytest.raises(ValidationError, match="fast is on it already and has Redis there"):
        services.server_change(server=shop, changes={"include_redis": True}, actor=SYSTEM)


def test_of_a_server_whose_recipe_is_gone_the_record_is_asked(there) -> None:
    server = there(CACHE, "fast")
    Server.objects.update(server_type="gone", managed={"redis": {"units": ["redis-server.service"]}, "firewall": {}})
    said = asked(server, APP, {}, "shop")
    assert said.startswith("fast is on it already and manages Redis there, but its recipe gone is gone or has changed")
    assert asked(server, APP, {"include_redis": False}, "shop") == ""


def test_a_recipe_that_allows_less_than_it_did_is_like_one_that_is_gone(there) -> None:
    server = there(CACHE, "fast")
    Server.objects.update(config={**server.config, "redis_version": "1"}, managed={"redis": {}})
    assert "is gone or has changed" in asked(server, APP, {}, "shop")


MINE = """
id: notes
name: Notes
server_type: app_server
requirements: {memory: {minimum: 256MB}, storage: {minimum: 1GB}}
components:
  - {name: notes, title_of_it: "${TITLE}"}
config_options:
  - {name: title, label: Title, type: string, default: ""}
post_install:
  - {type: supervisor_config, title: Notes, config: "[program:notes]\\ncommand=notes ${TITLE}", when: title}
"""


class TestARecipeOfOnesOwn:
    @pytest.fixture
    def notes(self, settings: Any, tmp_path: Path):
        """Bring the recipe, whose role listens on these ports."""

        def made(ports: str, sharing: str = "free: [title_of_it]") -> None:
            settings.RECIPES_DIR = tmp_path
            role = tmp_path / "notes/roles/notes"
            for name, text in {
                "tasks/main.yml": "[]",
                "vars/main.yml": f"notes_packages: []\nnotes_services: []\nnotes_report: {{}}\nnotes_ports: {ports}\n",
                "defaults/main.yml": 'notes_title_of_it: ""\n',
                "meta/argument_specs.yml": "argument_specs: {main: {short_description: Notes, options: "
                "{notes_title_of_it: {type: str, description: It.}}}}",
                "meta/sharing.yml": sharing,
            }.items():
                (role / name).parent.mkdir(parents=True, exist_ok=True)
                (role / name).write_text(text)
            (tmp_path / "notes/manifest.yaml").write_text(MINE)
            assert "notes" in recipe_catalog().recipes, recipe_catalog().problems

        return made

    def test_that_listens_and_opens_no_ports_is_not_beside_a_firewall(self, notes, there) -> None:
        notes("[{port: 8080, process: notes}]")
        server = there("notes", "mine")
        assert asked(server, CACHE, {}, "fast") == (
            "mine is on it already and its recipe opens no ports, so the firewall of fast would shut it off"
        )
        assert asked(server, WEB, {"include_firewall": False}, "shop") == ""
        Server.objects.all().delete()
        assert asked(there(CACHE, "fast"), "notes", {}, "mine") == (
            "fast is on it already and its firewall would shut off mine, whose recipe opens no ports"
        )

    def test_that_does_not_listen_is(self, notes, there) -> None:
        notes("[]")
        assert asked(there("notes", "mine"), CACHE, {}, "fast") == ""

    def test_twice_goes_where_its_role_allows_it(self, notes, there) -> None:
        notes("[]")
        assert asked(there("notes", "mine"), "notes", {"title": "x"}, "yours") == ""
        notes("[]", sharing="{}")
        assert "has Notes there with notes_title_of_it" in asked(Server.objects.get(), "notes", {"title": "x"}, "yours")

    def test_twice_goes_not_with_different_supervisor_programs(self, notes, there) -> None:
        notes("[]")
        server = there("notes", "mine", title="x")
        assert asked(server, "notes", {"title": "x"}, "yours") == ""
        assert asked(server, "notes", {"title": "y"}, "yours").endswith(
            "has the Supervisor programs of Notes there, with other settings"
        )
