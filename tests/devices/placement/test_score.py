from __future__ import annotations

import dataclasses

import pytest

from forgelab.devices.placement import Rare, Tenant, gb, rank, score, shipped_policy
from tests.devices.placement.examples import APP, GB, PI, SERVER_01, SERVER_02

WEB = dataclasses.replace(APP, ports={80: "nginx"})
NODE = dataclasses.replace(
    APP, rare=(Rare("Node.js 20", "official binary", ("x86_64", "aarch64"), releases=("trixie",)),)
)


def test_the_specifications_homelab_is_ranked_as_it_shows():
    scores = rank([PI, SERVER_01, SERVER_02], APP)
    assert [each.name for each in scores] == ["homelab-server-02", "homelab-server-01", "homelab-pi-01"]
    assert scores[0].points == 94
    assert abs(scores[1].points - 78) <= 2
    assert abs(scores[2].points - 45) <= 2


def test_the_reasons_are_the_specifications():
    assert score(SERVER_02, APP).reasons == (
        "12GB RAM available (app needs 4GB)", "200GB SSD storage free", "Current load: 35% (plenty of headroom)",
        "Uptime: 99.9%",
    )  # fmt: skip


def test_the_others_are_named_in_the_specifications_few_words():
    assert [each.summary for each in rank([PI, SERVER_01], APP)] == ["8GB RAM, 75% load", "4GB RAM, SD card"]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"reachable": False}, "homelab-server-02 cannot be reached"),
        ({"distribution": "alpine"}, "it runs alpine; Debian or Ubuntu is needed"),
        ({"distribution": ""}, "it runs an unknown system; Debian or Ubuntu is needed"),
        ({"distribution_version": "11"}, "it runs Debian 11; Debian 12 or newer is needed"),
        (
            {"distribution": "ubuntu", "distribution_version": "20.04"},
            "it runs Ubuntu 20.04; Ubuntu 22.04 or newer is needed",
        ),
        ({"memory_available_mb": 1 * GB}, "1GB RAM free, at least 2GB needed"),
        ({"reserved_mb": 15 * GB}, "1GB RAM free (15GB are reserved for the servers on it), at least 2GB needed"),
        ({"pending_mb": 11 * GB}, "1GB RAM free (11GB are reserved for the servers on it), at least 2GB needed"),
        ({"disk_free_mb": 10 * GB}, "10GB storage free, at least 20GB needed"),
        ({"reserved_disk_mb": 490 * GB}, "10GB storage free, at least 20GB needed"),
        ({"pending_disk_mb": 190 * GB}, "10GB storage free, at least 20GB needed"),
        ({"cores": 1}, "1 core, at least 2 needed"),
        ({"obstacle": "web is on it already"}, "web is on it already"),
        ({"listening": {80: "apache2"}}, "port 80 is held by apache2, and nginx needs it"),
    ],
)
def test_a_device_that_can_not_take_it_is_refused_with_the_reason(change, refusal):
    refused = score(dataclasses.replace(SERVER_02, **change), WEB)
    assert refused.refusals == (refusal,)
    assert (refused.fits, refused.points) == (False, 0)


@pytest.mark.parametrize("listening", [{80: "nginx"}, {80: ""}, {8080: "apache2"}, {}])
def test_a_port_of_its_own_of_an_unknown_holder_or_another_one_is_no_matter(listening):
    assert score(dataclasses.replace(SERVER_02, listening=listening), WEB).fits


class TestArchitecture:
    def test_a_recipe_may_name_those_it_can_be_on(self):
        needs = dataclasses.replace(APP, architectures=("x86_64",))
        assert score(PI, needs).refusals == ("its processor is aarch64; x86_64 is needed",)
        assert score(SERVER_02, needs).fits

    def test_a_version_that_its_processor_cannot_have_is_named(self):
        old = dataclasses.replace(PI, architecture="armv7l")
        refused = "Node.js 20 is not available for armv7l: the official binary is for x86_64 and aarch64"
        assert score(old, NODE).refusals == (refused,)
        assert score(PI, NODE).fits
        assert score(dataclasses.replace(old, distribution_release="trixie"), NODE).fits  # Debian 13 carries it

    def test_of_what_is_not_known_nothing_is_said(self):
        assert score(dataclasses.replace(PI, architecture=""), NODE).fits


def test_a_machine_sold_with_two_gigabytes_counts_as_such():
    sold = dataclasses.replace(SERVER_02, memory_total_mb=1987, memory_available_mb=1900)
    assert score(sold, APP).fits
    assert not score(dataclasses.replace(sold, pending_mb=1), APP).fits  # nothing is overcommitted


def test_what_is_reserved_but_not_there_yet_is_taken_from_what_is_free_now():
    """A device whose memory is used by other things: of 16 GB, 4 are free, and a new server gets them."""
    busy = dataclasses.replace(SERVER_02, memory_available_mb=4 * GB)
    assert score(busy, APP).fits
    assert not score(dataclasses.replace(busy, pending_mb=4 * GB), APP).fits
    assert score(dataclasses.replace(busy, reserved_mb=4 * GB), APP).fits  # it runs, so its use is in the 12 GB used


def test_what_fits_comes_before_what_does_not_and_equals_by_name():
    twin = dataclasses.replace(SERVER_02, name="a-twin")
    broken = dataclasses.replace(SERVER_02, name="a-broken", reachable=False)
    assert [each.name for each in rank([broken, SERVER_02, twin], APP)] == ["a-twin", "homelab-server-02", "a-broken"]


def test_a_device_that_was_not_watched_yet_is_not_preferred_to_one_that_never_failed():
    unknown = dataclasses.replace(SERVER_02, name="a-new-one", availability_percent=None)
    assert rank([unknown, SERVER_02], APP)[0].name == "homelab-server-02"


def test_a_sleeping_device_can_be_woken_and_says_so():
    asleep = score(dataclasses.replace(SERVER_02, asleep=True), APP)
    assert asleep.fits
    assert asleep.reasons[-1] == "It is asleep: it is woken before the run"


def test_reservations_and_few_cores_are_named():
    held = dataclasses.replace(
        SERVER_02, cores=2, reserved_mb=2 * GB, pending_mb=GB, servers=(Tenant("shop"), Tenant("wiki"))
    )
    assert score(held, APP).reasons[-2:] == ("2 cores (4 recommended)", "3GB of 16GB RAM reserved for shop, wiki")


class TestNeighbours:
    ME = Tenant(
        "laravel-production", "laravel-app-server", "production", "laravel",
        uses=frozenset({"shop-db"}), components=frozenset({"nginx", "postgresql", "composer"}),
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("other", "points", "sentence"),
        [
            (Tenant("shop-db"), 6, "shop-db, which it uses, is on this device: no network between them"),
            (
                Tenant("worker", uses=frozenset({"laravel-production"})), 6,
                "worker, which uses it, is on this device: no network between them",
            ),
            (
                Tenant("laravel-staging", environment="staging"), -12,
                "laravel-staging is here: production and staging are better kept apart",
            ),
            (
                Tenant("laravel-2", "laravel-app-server", "production", "laravel"), -8,
                "laravel-2 is here: another app of the same application, and one power cut would take both",
            ),
            (
                Tenant("db", components=frozenset({"postgresql"})), 6 * 120 / 256,
                "PostgreSQL of db is here already: sharing saves about 120MB RAM",
            ),
            (
                Tenant("second", follows=frozenset({"laravel-production"})), -60,
                "second, its standby, is on this device: one power cut would take both",
            ),
        ],
    )  # fmt: skip
    def test_are_good_or_bad_and_say_so(self, other, points, sentence):
        policy = dataclasses.replace(shipped_policy(), instances={"postgresql": 120})
        alone = score(SERVER_02, APP, self.ME, policy)
        beside = score(dataclasses.replace(SERVER_02, servers=(other,)), APP, self.ME, policy)
        assert beside.exact - alone.exact == pytest.approx(points)
        assert beside.reasons[-1] == sentence

    def test_a_standby_goes_almost_anywhere_but_beside_its_primary(self):
        standby = Tenant("standby", "database-server", "production", follows=frozenset({"primary"}))
        best = dataclasses.replace(SERVER_02, servers=(Tenant("primary", "database-server", "production"),))
        ranked = rank([best, SERVER_01, PI], APP, standby)
        assert [each.name for each in ranked] == ["homelab-server-01", "homelab-pi-01", "homelab-server-02"]
        assert ranked[2].fits
        assert "primary, its primary, is on this device: one power cut would take both" in ranked[2].reasons

    def test_unrelated_servers_do_not_matter(self):
        other = Tenant("wiki", "laravel-app-server", "production", "wiki")
        assert score(dataclasses.replace(SERVER_02, servers=(other,)), APP, self.ME).points == 94


@pytest.mark.parametrize(
    ("mb", "text"),
    [(1536, "1.5GB"), (2048, "2GB"), (204_800, "200GB"), (500, "0.5GB"), (30_310, "30GB"), (0, "0GB")],
)
def test_sizes_are_shown_in_gigabytes(mb, text):
    assert gb(mb) == text


def test_the_weights_are_a_hundred():
    assert sum(shipped_policy().points.values()) == 100
