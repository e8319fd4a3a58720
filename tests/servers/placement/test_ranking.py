"""How devices are ranked for a recipe: what it needs, what is in the way, and which servers it is near."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.devices.placement import rank, score
from forgelab.recipes.catalog import BUILT_IN, Catalog
from forgelab.servers.models import Server
from forgelab.servers.placement import tenancy
from forgelab.servers.provisioning import services
from forgelab.servers.spec.server_spec import draft, with_defaults
from tests.devices.placement.examples import PI, SERVER_01, SERVER_02
from tests.servers.helpers import FOUR, ranked, recipe

pytestmark = pytest.mark.django_db


class TestTheRecipesNeeds:
    def test_give_the_specifications_homelab_its_scores(self):
        app = recipe()
        needs = tenancy.needs(draft(app))
        scores = rank([PI, SERVER_01, SERVER_02], needs)
        assert [(each.name, each.points) for each in scores] == [
            ("homelab-server-02", 94), ("homelab-server-01", 78), ("homelab-pi-01", 45),
        ]  # fmt: skip
        assert scores[0].reasons == (
            "12GB RAM available (app needs 4GB)", "200GB SSD storage free", "Current load: 35% (plenty of headroom)",
            "Uptime: 99.9%",
        )  # fmt: skip

    def test_know_the_ports_as_the_config_says(self):
        assert tenancy.needs(draft(recipe())).ports == {80: "nginx", 5432: "postgres", 6379: "redis-server"}
        config = {"database_engine": "mariadb", "include_redis": False}
        assert tenancy.needs(draft(recipe(), config=config)).ports == {80: "nginx", 3306: "mariadbd"}
        worker = recipe("laravel-worker-server")
        assert tenancy.needs(draft(worker)).ports == {}  # Redis as a client only

    def test_grow_with_options_that_ask_for_more(self):
        cache = recipe("cache-server")
        for config, minimum in (
            ({}, 512),
            ({"redis_maxmemory_mb": 2048}, 2560),
            ({"memcached_memory_mb": 2048}, 512),  # an option that is not asked for
            ({"cache_engine": "memcached", "memcached_memory_mb": 8192}, 8704),
        ):
            needs = tenancy.needs(draft(cache, config=config))
            assert needs.memory_mb == (minimum, max(minimum, 4096))

    def test_know_what_a_processor_cannot_have(self, make_device):
        make_device("old-pi", architecture="armv7l", distribution_release="bookworm")
        refused = "Node.js 20 is not available for armv7l: the official binary is for x86_64 and aarch64"
        assert refused in ranked()[0].refusals
        assert ranked(config={"include_nodejs": False})[0].fits


def test_a_port_that_something_else_holds_is_reported_before_any_run(provision, device):
    device.listening = [{"port": 80, "process": "apache2"}, {"port": 22, "process": "sshd"}, "nonsense", {"port": "x"}]
    device.save()
    with pytest.raises(ValidationError, match="port 80 is held by apache2, and nginx needs it"):
        provision()
    device.listening = [{"port": 80, "process": "nginx"}, {"port": 5432, "process": "postgres"}]
    device.save()
    assert provision()


def test_a_sleeping_device_is_a_candidate(make_device):
    make_device(status="asleep")
    assert ranked()[0].fits
    assert "It is asleep: it is woken before the run" in ranked()[0].reasons


def test_a_database_is_near_the_servers_that_name_it(device, make_device, end, enqueued):
    device.load_percent = 50.0
    device.save()
    make_device("homelab-server-02")
    for kind, name in (("database-server", "books"), ("cache-server", "fast")):
        end(services.server_provision(server_type=kind, name=name, device=device, config={}, actor=SYSTEM))
    config = {"database_server": "books", "cache_server": "fast"}
    best = ranked("laravel-worker-server", name="worker", config=config)[0]
    assert best.name == device.name
    assert "books, which it uses, is on this device: no network between them" in best.reasons
    assert ranked("laravel-worker-server", name="worker")[0].name == "homelab-server-02"


def test_a_standby_names_its_primary_as_such():
    database = recipe("database-server")
    standby = draft(database, name="books-2", config={"replicate_from": "books", "allowed_servers": ["shop"]})
    found = tenancy.tenant(standby)
    assert (found.follows, found.uses, found.used_by) == ({"books"}, frozenset(), {"shop"})
    books = tenancy.tenant(draft(database, name="books"))
    beside = score(placement_with(books), tenancy.needs(standby), found)
    assert beside.points < 40
    assert "books, its primary, is on this device: one power cut would take both" in beside.reasons


def placement_with(*servers):
    return dataclasses.replace(SERVER_02, servers=servers)


def test_many_devices_cost_no_more_queries_than_few(make_device, django_assert_num_queries):
    def devices(first: int, last: int) -> None:
        for number in range(first, last):
            found = make_device(f"device-{number}")
            for kind in ("laravel-app-server", "cache-server"):
                config = with_defaults(recipe(kind))
                Server.objects.create(
                    name=f"{kind}-{number}", server_type=kind, device=found, config=config, secrets={}
                )

    for first, last in ((0, 1), (1, 10)):
        devices(first, last)
        with django_assert_num_queries(2):
            ranked("laravel-web-server")


def test_types_are_listed_as_the_specification_does_and_ones_own_after_them(tmp_path: Path, settings):
    folder = tmp_path / "aa-first"
    folder.mkdir()
    (folder / "manifest.yaml").write_text(FOUR.format(id="aa-first", role="composer") + "position: 1\n")
    loaded = Catalog.load([BUILT_IN, tmp_path], settings.ROLES_DIR)
    assert not loaded.problems
    assert list(loaded.recipes) == [
        "laravel-app-server", "laravel-web-server", "database-server", "laravel-worker-server", "cache-server",
        "aa-first",
    ]  # fmt: skip
