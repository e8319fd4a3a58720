"""Placement with real rows: what is promised, to whom, and that nothing is promised twice."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from forgelab.devices.placement import rank, score
from forgelab.recipes.catalog import BUILT_IN, Catalog
from forgelab.servers import placement, proposals, services
from forgelab.servers.models import Server
from forgelab.servers.selectors import recipe_catalog
from tests.devices.placement.examples import GB, PI, SERVER_01, SERVER_02
from tests.runs.test_claims import at_once

pytestmark = pytest.mark.django_db
FOUR = """\
id: {id}
name: "{id}"
server_type: web_server
requirements:
  memory: {{minimum: 4GB, recommended: 4GB}}
  storage: {{minimum: 1GB}}
components:
  - name: {role}
"""


def recipe(name: str = "laravel-app-server"):
    return recipe_catalog().get(name)


def ranked(kind: str = "laravel-app-server", **known):
    return placement.placement_rank(recipe=recipe(kind), **known)


class TestTheRecipesNeeds:
    def test_give_the_specifications_homelab_its_scores(self):
        app = recipe()
        needs = placement.needs(app, placement.with_defaults(app, None))
        scores = rank([PI, SERVER_01, SERVER_02], needs)
        assert [(each.name, each.points) for each in scores] == [
            ("homelab-server-02", 94), ("homelab-server-01", 78), ("homelab-pi-01", 45),
        ]  # fmt: skip
        assert scores[0].reasons == (
            "12GB RAM available (app needs 4GB)", "200GB SSD storage free", "Current load: 35% (plenty of headroom)",
            "Uptime: 99.9%",
        )  # fmt: skip

    def test_know_the_ports_as_the_config_says(self):
        config = placement.with_defaults(recipe(), None)
        assert placement.needs(recipe(), config).ports == {80: "nginx", 5432: "postgres", 6379: "redis-server"}
        config |= {"database_engine": "mariadb", "include_redis": False}
        assert placement.needs(recipe(), config).ports == {80: "nginx", 3306: "mariadbd"}
        worker = recipe("laravel-worker-server")
        assert placement.needs(worker, placement.with_defaults(worker, None)).ports == {}  # Redis as a client only

    def test_grow_with_options_that_ask_for_more(self):
        cache = recipe("cache-server")
        for config, minimum in (
            ({}, 512),
            ({"redis_maxmemory_mb": 2048}, 2560),
            ({"memcached_memory_mb": 2048}, 512),  # an option that is not asked for
            ({"cache_engine": "memcached", "memcached_memory_mb": 8192}, 8704),
        ):
            needs = placement.needs(cache, placement.with_defaults(cache, config))
            assert needs.memory_mb == (minimum, max(minimum, 4096))

    def test_know_what_a_processor_cannot_have(self, make_device):
        make_device("old-pi", architecture="armv7l", distribution_release="bookworm")
        refused = "Node.js 20 is not to be had for armv7l: the official binary is for x86_64 and aarch64"
        assert refused in ranked()[0].refusals
        assert ranked(config={"include_nodejs": False})[0].fits


def test_a_port_that_something_else_holds_is_told_before_any_run(provision, device):
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


class TestPromises:
    def test_are_made_of_memory_and_storage_and_kept_with_the_reasons(self, provision):
        provision()
        server = Server.objects.get()
        assert (server.memory_mb, server.storage_mb) == (2 * GB, 20 * GB)
        assert server.placement["points"] > 0
        assert "12GB RAM available (app needs 4GB)" in server.placement["reasons"]

    def test_of_a_server_that_is_not_there_yet_are_taken_from_what_is_free_now(self, provision, device):
        """12 of 16 GB are free and promised to nobody; 2 of the 12 are the new server's before it uses them."""
        provision()
        device.refresh_from_db()
        assert placement.candidate(device).memory_free_mb == 10 * GB
        assert placement.candidate(device).disk_left_mb == 180 * GB

    def test_of_a_server_that_runs_are_in_the_figures_once_they_are_younger(self, provision, end, device):
        end(provision())
        device.refresh_from_db()
        assert placement.candidate(device).memory_free_mb == 10 * GB
        device.seen_at = timezone.now() + timedelta(seconds=1)
        assert placement.candidate(device).memory_free_mb == 12 * GB

    def test_of_a_failed_server_are_kept_until_it_is_taken_down(self, provision, end, device):
        end(provision(), "failed")
        device.refresh_from_db()
        assert placement.candidate(device).memory_free_mb == 10 * GB
        Server.objects.get().delete()
        device.refresh_from_db()
        assert placement.candidate(device).memory_free_mb == 12 * GB

    def cache(self, device, mb: int):
        return services.server_provision(
            server_type="cache-server", name="fast", device=device, config={"redis_maxmemory_mb": mb}
        )

    def test_grow_with_the_options_where_the_device_has_that_much(self, device, end, no_bell):
        end(self.cache(device, 1000))
        assert Server.objects.get().memory_mb == 1512
        end(self.cache(device, 8000))
        assert Server.objects.get().memory_mb == 8512
        device.seen_at = timezone.now()  # of 12 GB, what the server uses is seen
        device.memory_available_mb = 4 * GB
        device.save()
        with pytest.raises(ValidationError) as refused:
            self.cache(device, 14_000)
        assert refused.value.message_dict == {
            "device": [
                "homelab-server-01 has 4GB RAM left, and with these options fast needs 5.9GB more than it has now."
            ]
        }
        with pytest.raises(ValidationError, match="has 4GB RAM left"):
            proposals.server_check(server=Server.objects.get(), changes={"redis_maxmemory_mb": 14_000})
        assert Server.objects.get().memory_mb == 8512

    def test_shrink_only_once_the_server_runs_so(self, device, end, no_bell):
        end(self.cache(device, 8000))
        run = self.cache(device, 1000)
        assert Server.objects.get().memory_mb == 8512
        end(run)
        assert Server.objects.get().memory_mb == 1512

    def test_are_as_before_where_a_run_failed_before_it_had_changed_anything(self, device, end, no_bell):
        end(self.cache(device, 1000))
        end(self.cache(device, 8000), "failed")
        assert Server.objects.get().memory_mb == 1512


class TestEnvironments:
    def test_is_what_was_said_else_what_the_name_says(self, provision, make_device):
        make_device("homelab-server-02"), make_device("homelab-server-03")
        provision("one", device=None, environment="development")
        provision("shop-staging", device=None)
        provision("shop", device=None)
        found = dict(Server.objects.values_list("name", "environment"))
        assert found == {"one": "development", "shop-staging": "staging", "shop": "production"}

    def test_stays_when_the_server_is_provisioned_again_and_can_be_changed(self, provision, end):
        end(provision(environment="staging"))
        end(provision())
        assert Server.objects.get().environment == "staging"
        end(provision(environment="production"))
        assert Server.objects.get().environment == "production"

    def test_that_is_none_is_refused(self, provision):
        with pytest.raises(ValidationError) as refused:
            provision(environment="live")
        said = '"live" is not one of production, staging, development.'
        assert refused.value.message_dict == {"environment": [said]}

    def test_are_kept_apart_and_that_is_told(self, device, end, make_device, no_bell):
        other = make_device("homelab-server-02", load_percent=50.0)
        end(services.server_provision(server_type="cache-server", name="fast-staging", device=device, config={}))
        first = ranked("laravel-web-server", name="laravel", config={})[0]
        assert first.name == other.name
        staging = "fast-staging is here: production and staging are better kept apart"
        scores = {each.name: each for each in ranked("laravel-web-server", name="laravel", config={})}
        assert staging in scores[device.name].reasons


def test_a_database_is_near_the_servers_that_name_it(device, make_device, end, no_bell):
    device.load_percent = 50.0
    device.save()
    make_device("homelab-server-02")
    for kind, name in (("database-server", "books"), ("cache-server", "fast")):
        end(services.server_provision(server_type=kind, name=name, device=device, config={}))
    config = {"database_server": "books", "cache_server": "fast"}
    best = ranked("laravel-worker-server", name="worker", config=config)[0]
    assert best.name == device.name
    assert "books, which it uses, is on this device: no network between them" in best.reasons
    assert ranked("laravel-worker-server", name="worker")[0].name == "homelab-server-02"


def test_a_standby_names_its_primary_as_such():
    database = recipe("database-server")
    config = placement.with_defaults(database, {"replicate_from": "books", "allowed_servers": ["shop"]})
    found = placement.tenant("books-2", "database-server", "production", config, database)
    assert (found.follows, found.uses, found.used_by) == ({"books"}, frozenset(), {"shop"})
    books = placement.tenant("books", "database-server", "production", placement.with_defaults(database, {}), database)
    needs = placement.needs(database, config)
    beside = score(placement_with(books), needs, found)
    assert beside.points < 40
    assert "books, its primary, is on this device: one power cut would take both" in beside.reasons


def placement_with(*servers):
    return dataclasses.replace(SERVER_02, servers=servers)


def test_many_devices_cost_no_more_queries_than_few(make_device, django_assert_num_queries):
    def devices(first: int, last: int) -> None:
        for number in range(first, last):
            found = make_device(f"device-{number}")
            for kind in ("laravel-app-server", "cache-server"):
                config = placement.with_defaults(recipe(kind), None)
                Server.objects.create(
                    name=f"{kind}-{number}", server_type=kind, device=found, config=config, secrets={}
                )

    for first, last in ((0, 1), (1, 10)):
        devices(first, last)
        with django_assert_num_queries(2):
            ranked("laravel-web-server")


class TestWeights:
    def test_of_ones_own_decide(self, device, settings, tmp_path: Path):
        settings.PLACEMENT_FILE = tmp_path / "placement.yaml"
        before = ranked()[0].points
        settings.PLACEMENT_FILE.write_text("points: {load: 40, storage: 0}\n")
        assert ranked()[0].points < before

    def test_with_mistakes_are_told_with_file_line_and_key(self, provision, settings, tmp_path: Path):
        settings.PLACEMENT_FILE = tmp_path / "placement.yaml"
        settings.PLACEMENT_FILE.write_text("points:\n  memry: 30\nenough: {cores: lots}\n")
        with pytest.raises(ValidationError) as refused:
            provision()
        said = refused.value.message_dict["placement"][0]
        assert f"{settings.PLACEMENT_FILE}: line 2: points.memry: is not a known key" in said
        assert "line 3: enough.cores: must be a number from 0.1 to 1000, not text" in said
        assert not Server.objects.exists()

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("points: {load: 20}", "points: are 105 together; they must be 100"),
            ("points: 3", "points: must be a mapping with keys"),
            ("disks: {ssd: 2}", "disks.ssd: must be a number from 0 to 1, not 2"),
            ("fit: {near: true}", "fit.near: must be a number from 0 to 100, not true or false"),
            ("points: {load: .nan}", "points.load: must be a number"),
            ("[", ""),
        ],
    )
    def test_that_cannot_be_are_refused(self, settings, tmp_path: Path, text, said):
        settings.PLACEMENT_FILE = tmp_path / "placement.yaml"
        settings.PLACEMENT_FILE.write_text(text)
        with pytest.raises(ValidationError) as refused:
            ranked()
        assert said in refused.value.message_dict["placement"][0]


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


@pytest.fixture
def two_types(tmp_path: Path, settings) -> None:
    """Two types that need 4 GB and may be side by side."""
    for name, role in (("four-one", "composer"), ("four-two", "scheduler")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.yaml").write_text(FOUR.format(id=name, role=role))
    settings.RECIPES_DIR = tmp_path


@pytest.mark.django_db(transaction=True)
class TestTheRace:
    """Of 16 GB, 12 are used by other things than ForgeLab's; two ask for the last four at the same moment."""

    def ask(self, number: str, device=None):
        return services.server_provision(server_type=f"four-{number}", name=number, device=device, config={})

    @pytest.mark.parametrize("automatic", [True, False])
    def test_for_the_last_memory_has_one_winner_and_one_sentence(
        self, two_types, device, no_bell, monkeypatch, automatic
    ):
        type(device).objects.update(memory_available_mb=4 * GB)
        monkeypatch.setattr(placement, "device_list", Slowly(placement.device_list))
        chosen = None if automatic else device
        results = at_once(lambda: self.ask("one", chosen), lambda: self.ask("two", chosen))
        assert sorted(type(result).__name__ for result in results) == ["Run", "ValidationError"]
        loser = next(result for result in results if isinstance(result, ValidationError))
        assert "0GB RAM free (4GB are promised to the servers on it), at least 4GB needed" in str(loser)
        assert sum(Server.objects.values_list("memory_mb", flat=True)) == 4 * GB

    def test_is_none_where_there_is_enough_for_both(self, two_types, device, no_bell):
        type(device).objects.update(memory_available_mb=8 * GB)
        results = at_once(lambda: self.ask("one"), lambda: self.ask("two"))
        assert [type(result).__name__ for result in results] == ["Run", "Run"]


class Slowly:
    """Who has looked at the devices waits for the other to have looked too, as long as that is to be expected: both
    would decide by the same figures if nothing kept the second from looking."""

    def __init__(self, look) -> None:
        self.look, self.looked = look, threading.Barrier(2)

    def __call__(self):
        found = self.look()
        assert connection.in_atomic_block
        with contextlib.suppress(threading.BrokenBarrierError):
            self.looked.wait(2)
        return found
