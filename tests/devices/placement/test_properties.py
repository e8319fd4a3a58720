"""What holds for every device there could be."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgelab.devices.placement import rank, score, shipped_policy
from forgelab.devices.placement.affinity import Affinities, sentence
from tests.devices.placement.examples import APP, NEEDS, candidates, tenants

MORE = ("memory_available_mb", "memory_total_mb", "disk_free_mb", "disk_total_mb", "cores", "availability_percent")
LESS = ("load_percent", "reserved_mb", "pending_mb", "reserved_disk_mb", "pending_disk_mb")


@given(candidates(), NEEDS, tenants())
def test_points_are_between_0_and_100_and_only_for_what_fits(candidate, needs, tenant):
    scored = score(candidate, needs, tenant)
    assert 0 <= scored.points <= 100
    assert scored.fits == (not scored.refusals)
    assert scored.fits or scored.points == 0
    assert all(scored.reasons) and scored.summary


@given(candidates(), NEEDS, tenants(), st.sampled_from(MORE), st.integers(0, 2**20))
def test_more_of_something_good_never_lowers_the_score(candidate, needs, tenant, name, more):
    known = getattr(candidate, name)
    better = dataclasses.replace(candidate, **{name: None if known is None else known + more})
    _is_no_worse(score(better, needs, tenant), score(candidate, needs, tenant))


@given(candidates(), NEEDS, tenants(), st.sampled_from(LESS), st.floats(0, 1))
def test_less_of_something_bad_never_lowers_the_score(candidate, needs, tenant, name, share):
    better = dataclasses.replace(candidate, **{name: int(getattr(candidate, name) * share)})
    _is_no_worse(score(better, needs, tenant), score(candidate, needs, tenant))


def _is_no_worse(after, before):
    assert after.fits or not before.fits
    assert after.points >= before.points
    assert after.exact >= before.exact or not before.fits


@given(tenants(), st.lists(tenants(), max_size=4, unique_by=lambda one: one.name))
def test_the_affinities_that_are_named_are_those_that_count(tenant, servers):
    affinities = Affinities(tenant, shipped_policy())
    found = affinities.affinities(servers)
    assert affinities.points(servers) == pytest.approx(sum(affinity.points for affinity in found))
    assert all(sentence(affinity, tenant) for affinity in found)


SOME = st.lists(candidates(), unique_by=lambda candidate: candidate.name, max_size=8)


@given(SOME, tenants(), st.randoms())
def test_the_order_of_devices_and_of_their_servers_does_not_matter(some, tenant, random):
    shuffled = []
    for candidate in random.sample(some, len(some)):
        servers = random.sample(candidate.servers, len(candidate.servers))
        shuffled.append(dataclasses.replace(candidate, servers=tuple(servers)))
    mixed, plain = rank(shuffled, APP, tenant), rank(some, APP, tenant)
    assert [(s.name, s.points, s.refusals) for s in mixed] == [(s.name, s.points, s.refusals) for s in plain]
    assert [s.reasons[:4] for s in mixed] == [s.reasons[:4] for s in plain]


@given(SOME, NEEDS, tenants())
def test_nothing_that_fails_a_requirement_is_chosen_before_what_does_not(some, needs, tenant):
    ranked = rank(some, needs, tenant)
    fitting = [each.fits for each in ranked]
    assert fitting == sorted(fitting, reverse=True)
    for each in ranked:
        if each.fits:
            found = each.candidate
            assert found.reachable and not found.obstacle
            assert found.memory_available_mb >= needs.memory_mb[0] * 0.9
            assert found.disk_free_mb >= needs.storage_mb[0]
            assert found.cores >= needs.cores[0]
            assert found.distribution in ("debian", "ubuntu")
