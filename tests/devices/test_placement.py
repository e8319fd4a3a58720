from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgelab.devices.placement import WEIGHTS, Candidate, Needs, gb, rank, score

GB = 1024
APP = Needs(memory_mb=(2 * GB, 4 * GB), storage_mb=(20 * GB, 50 * GB), cores=(2, 4))
SERVER_02 = Candidate(
    name="homelab-server-02", reachable=True, distribution="debian", memory_total_mb=16 * GB,
    memory_available_mb=12 * GB, promised_mb=0, disk_free_mb=200 * GB, disk_kind="ssd", cores=4, load_percent=35,
    availability_percent=99.9,
)  # fmt: skip
SERVER_01 = dataclasses.replace(
    SERVER_02, name="homelab-server-01", memory_total_mb=16 * GB, memory_available_mb=8 * GB, load_percent=75
)
PI = dataclasses.replace(
    SERVER_02, name="homelab-pi-01", memory_total_mb=4 * GB, memory_available_mb=4 * GB, disk_free_mb=32 * GB,
    disk_kind="sd", load_percent=20, availability_percent=99.9,
)  # fmt: skip


def test_the_specifications_homelab_is_ranked_as_it_shows():
    scores = rank([PI, SERVER_01, SERVER_02], APP)
    assert [each.name for each in scores] == ["homelab-server-02", "homelab-server-01", "homelab-pi-01"]
    assert scores[0].points == 94
    assert abs(scores[1].points - 78) <= 2
    assert abs(scores[2].points - 45) <= 2


def test_the_reasons_are_the_specifications():
    assert score(SERVER_02, APP).reasons == (
        "12GB RAM available (app needs 4GB)", "200GB SSD storage free", "Current load: 35% (plenty of headroom)",
        "4 cores (4 recommended)", "Uptime: 99.9%",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"reachable": False}, "homelab-server-02 cannot be reached"),
        ({"distribution": "alpine"}, "it runs alpine; Debian or Ubuntu is needed"),
        ({"distribution": ""}, "it runs an unknown system; Debian or Ubuntu is needed"),
        ({"memory_available_mb": 1 * GB}, "1GB RAM free, at least 2GB needed"),
        ({"promised_mb": 15 * GB}, "1GB RAM free, at least 2GB needed"),
        ({"disk_free_mb": 10 * GB}, "10GB storage free, at least 20GB needed"),
        ({"cores": 1}, "1 core, at least 2 needed"),
        ({"obstacle": "web is on it already"}, "web is on it already"),
    ],
)
def test_a_device_that_can_not_take_it_is_refused_with_the_reason(change, refusal):
    refused = score(dataclasses.replace(SERVER_02, **change), APP)
    assert refused.refusals == (refusal,)
    assert (refused.fits, refused.points) == (False, 0)


def test_a_machine_sold_with_two_gigabytes_counts_as_such():
    assert score(dataclasses.replace(SERVER_02, memory_total_mb=1987, memory_available_mb=1900), APP).fits


def test_what_fits_comes_before_what_does_not_and_equals_by_name():
    twin = dataclasses.replace(SERVER_02, name="a-twin")
    broken = dataclasses.replace(SERVER_02, name="a-broken", reachable=False)
    assert [each.name for each in rank([broken, SERVER_02, twin], APP)] == ["a-twin", "homelab-server-02", "a-broken"]


@pytest.mark.parametrize(
    ("mb", "text"),
    [(1536, "1.5GB"), (2048, "2GB"), (204_800, "200GB"), (500, "0.5GB"), (30_310, "30GB"), (0, "0GB")],
)
def test_sizes_are_told_in_gigabytes(mb, text):
    assert gb(mb) == text


MB = st.integers(0, 2**22)
candidates = st.builds(
    Candidate, name=st.text(max_size=5), reachable=st.booleans(),
    distribution=st.sampled_from(["debian", "ubuntu", "arch"]),
    memory_total_mb=MB, memory_available_mb=MB, promised_mb=MB, disk_free_mb=MB,
    disk_kind=st.sampled_from(["nvme", "ssd", "hdd", "sd", "unknown", "tape"]), cores=st.integers(0, 256),
    load_percent=st.floats(0, 5000), availability_percent=st.none() | st.floats(0, 100),
    obstacle=st.sampled_from(["", "no"]),
)  # fmt: skip


@given(candidates)
def test_points_are_between_0_and_100_and_only_for_what_fits(candidate):
    scored = score(candidate, APP)
    assert 0 <= scored.points <= 100
    assert scored.fits or scored.points == 0


@given(candidates, st.integers(0, 2**20))
def test_more_of_something_good_never_lowers_the_score(candidate, more):
    before = score(candidate, APP)
    for name in ("memory_available_mb", "memory_total_mb", "disk_free_mb", "cores"):
        better = dataclasses.replace(candidate, **{name: getattr(candidate, name) + more})
        after = score(better, APP)
        assert after.points >= before.points
        assert after.fits or not before.fits
    assert score(dataclasses.replace(candidate, load_percent=0), APP).points >= before.points


@given(st.lists(candidates, unique_by=lambda candidate: candidate.name), st.randoms())
def test_the_order_of_devices_does_not_matter(some, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    assert rank(some, APP) == rank(shuffled, APP)


@given(st.lists(candidates))
def test_nothing_that_fails_a_requirement_is_chosen_before_what_does_not(some):
    fitting = [each.fits for each in rank(some, APP)]
    assert fitting == sorted(fitting, reverse=True)


def test_the_weights_are_a_hundred():
    assert sum(WEIGHTS.values()) == 100
