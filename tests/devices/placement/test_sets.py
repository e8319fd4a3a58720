from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgelab.devices.placement import Candidate, Constraint, Needs, Tenant, Wanted, place_set, shipped_policy
from forgelab.devices.placement.assignment import AssignmentProblem, objective
from tests.devices.placement.examples import APP, GB, PI, SERVER_01, SERVER_02

DATABASE = Needs((1 * GB, 4 * GB), (10 * GB, 100 * GB), (1, 4), noun="database")
WORKER = Needs((GB // 2, 2 * GB), (4 * GB, 10 * GB), (1, 2), noun="worker")
HOMELAB = [SERVER_02, SERVER_01, PI]


def app(name: str = "web", needs: Needs = APP, **fields: object) -> Wanted:
    return Wanted(Tenant(name, "laravel-app-server", "production", **fields), needs)


def database(name: str = "shop-db") -> Wanted:
    return Wanted(Tenant(name, "database-server", "production"), DATABASE)


def worker(name: str) -> Wanted:
    uses = frozenset({"shop-db"})
    return Wanted(Tenant(name, "laravel-worker-server", "production", "shop", uses=uses), WORKER)


def places(placement) -> dict[str, str]:
    return {choice.name: choice.device for choice in placement.choices}


SET = [app(), database(), worker("worker-1"), worker("worker-2")]


def test_a_set_is_placed_and_every_choice_explained():
    found = place_set(SET, HOMELAB)
    assert found.complete and found.best
    assert list(places(found)) == ["shop-db", "web", "worker-1", "worker-2"]
    for choice in found.choices:
        assert choice.score.points > 0 and "RAM available" in choice.score.reasons[0]
    near = [choice for choice in found.choices if "shop-db, which it uses" in " ".join(choice.score.reasons)]
    assert {choice.device for choice in near} <= {places(found)["shop-db"]}


class TestConstraints:
    def test_apart(self):
        found = places(place_set(SET, HOMELAB, [Constraint("apart", ("web", "shop-db", "worker-1"))]))
        assert len({found["web"], found["shop-db"], found["worker-1"]}) == 3

    def test_together(self):
        found = places(place_set(SET, HOMELAB, [Constraint("together", ("web", "worker-2"))]))
        assert found["web"] == found["worker-2"]

    def test_on_and_not_on_a_device(self):
        wishes = [Constraint("on", ("web",), "homelab-server-01"), Constraint("not_on", ("shop-db",), SERVER_02.name)]
        found = places(place_set(SET, HOMELAB, wishes))
        assert found["web"] == "homelab-server-01" and found["shop-db"] != SERVER_02.name

    def test_spread_is_a_wish_and_not_a_must(self):
        pair = [app("one", WORKER), app("two", WORKER)]
        assert len(set(places(place_set(pair, [SERVER_02], [Constraint("spread", ())])).values())) == 1
        twin = dataclasses.replace(SERVER_02, name="a-twin", load_percent=60)
        wish = [Constraint("spread", ("one", "two"))]
        assert set(places(place_set(pair, [SERVER_02, twin], wish)).values()) == {SERVER_02.name, "a-twin"}
        assert set(places(place_set(pair, [SERVER_02, twin])).values()) == {SERVER_02.name}

    def test_what_cannot_be_beside_another_is_not(self):
        one, two = app("one", WORKER), dataclasses.replace(app("two", WORKER), clashes={"one": "both have MySQL"})
        assert len(set(places(place_set([one, two], HOMELAB)).values())) == 2
        missing = place_set([one, two], [SERVER_02]).missing[0]
        assert missing.reason == "not on homelab-server-02: both have MySQL"

    def test_demands_that_contradict_each_other_leave_one_without_a_place(self):
        both = [Constraint("apart", ("one", "two")), Constraint("together", ("one", "two"))]
        assert len(place_set([app("one", WORKER), app("two", WORKER)], HOMELAB, both).missing) == 1


class TestMissing:
    ROOM = dataclasses.replace(SERVER_02, memory_available_mb=3 * GB)

    def test_the_reason_names_who_took_what_is_free(self):
        needy = dataclasses.replace(DATABASE, memory_mb=(2 * GB, 2 * GB))
        found = place_set([Wanted(Tenant("shop-db"), needy), Wanted(Tenant("worker-2"), needy)], [self.ROOM])
        assert [each.name for each in found.choices] == ["shop-db"]
        reason = "no device has 2GB RAM left for worker-2 once shop-db is on homelab-server-02"
        assert [each.reason for each in found.missing] == [reason]

    def test_the_fewest_who_are_enough_are_named(self):
        small, large = (dataclasses.replace(WORKER, memory_mb=(mb, mb)) for mb in (100, 2 * GB))
        wanted = [Wanted(Tenant("a-small"), small), Wanted(Tenant("large"), large), Wanted(Tenant("other"), large)]
        reason = place_set(wanted, [self.ROOM]).missing[0].reason
        assert reason == "no device has 2GB RAM left for other once large is on homelab-server-02"

    def test_what_no_device_could_take_is_reported_device_by_device(self):
        huge = Wanted(Tenant("huge"), dataclasses.replace(APP, memory_mb=(64 * GB, 64 * GB)))
        reason = place_set([huge], HOMELAB).missing[0].reason
        assert reason.startswith("no device is suitable for huge: homelab-pi-01: 4GB RAM free, at least 64GB needed; ")

    def test_without_devices(self):
        assert place_set([app()], []).missing[0].reason == "there is no device for web"

    def test_a_constraint_that_cannot_be_met_is_reported(self):
        apart = [Constraint("apart", ("one", "two"))]
        found = place_set([app("one", WORKER), app("two", WORKER)], [SERVER_02], apart)
        assert found.missing[0].reason == "two is to be apart from one, which is on homelab-server-02"


def test_what_comes_first_is_not_kept_where_another_order_places_more():
    """The small one would like the large device best, but then the large one would have none."""
    wide = dataclasses.replace(SERVER_02, memory_available_mb=3 * GB)
    tight = dataclasses.replace(SERVER_01, memory_available_mb=GB)
    small, large = app("a", WORKER), app("b", dataclasses.replace(WORKER, memory_mb=(3 * GB, 3 * GB)))
    assert places(place_set([small, large], [wide, tight])) == {"a": tight.name, "b": wide.name}


def test_two_that_belong_together_are_found_a_place_that_neither_would_take_alone():
    """One by one, both go where there is least load, which are two devices; beside each other they earn more."""
    best = dataclasses.replace(SERVER_02, name="best", memory_available_mb=3 * GB, load_percent=30)
    both = dataclasses.replace(SERVER_02, name="both", memory_available_mb=4 * GB, load_percent=49)
    other = dataclasses.replace(SERVER_02, name="other", memory_available_mb=GB, load_percent=30)
    large, small = (dataclasses.replace(WORKER, memory_mb=(mb, 1)) for mb in (3 * GB, GB))
    pair = [app("large", large, uses=frozenset({"small"})), app("small", small)]
    assert places(place_set(pair, [best, both, other])) == {"large": "both", "small": "both"}


def test_of_a_machine_sold_with_four_gigabytes_two_servers_do_not_get_two_each():
    sold = dataclasses.replace(SERVER_02, memory_total_mb=3900, memory_available_mb=3900)
    two = dataclasses.replace(WORKER, memory_mb=(2 * GB, 2 * GB))
    assert len(place_set([app("one", two), app("two", two)], [sold]).choices) == 1


def test_many_servers_are_placed_too_without_reserving_anything_twice():
    many = [worker(f"worker-{number:02}") for number in range(30)]
    found = place_set(many, HOMELAB)
    assert found.complete and not found.best
    _assert_nothing_is_reserved_twice(found, {one.name: one for one in many}, HOMELAB)


SIZES = st.sampled_from([0, GB // 2, GB, 2 * GB, 3 * GB])
NEEDS = st.builds(
    lambda memory, storage, cores: Needs((memory, 2 * memory), (storage, storage), (cores, 4)),
    SIZES, SIZES, st.integers(1, 3),
)  # fmt: skip
LINKS = st.frozensets(st.sampled_from("abc"), max_size=1)


@st.composite
def problems(draw):
    wanted = [
        Wanted(
            Tenant(
                name, draw(st.sampled_from(["app", "db"])), draw(st.sampled_from(["production", "staging"])),
                draw(st.sampled_from(["", "shop"])), uses=draw(LINKS), follows=draw(LINKS),
                components=draw(st.frozensets(st.sampled_from(["nginx", "postgresql"]))),
            ),
            draw(NEEDS),
            obstacles=draw(st.dictionaries(st.sampled_from(["d0", "d1"]), st.just("no"), max_size=1)),
            clashes=draw(st.dictionaries(st.sampled_from("abc"), st.just("never"), max_size=1)),
        )
        for name in "abc"[: draw(st.integers(1, 3))]
    ]  # fmt: skip
    devices = [
        dataclasses.replace(
            SERVER_02, name=f"d{number}", memory_available_mb=draw(st.integers(0, 6 * GB)),
            disk_free_mb=draw(st.integers(0, 8 * GB)), cores=draw(st.integers(1, 4)),
            load_percent=draw(st.integers(0, 100)), pending_mb=draw(st.sampled_from([0, GB])),
        )
        for number in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    kinds = st.sampled_from(["together", "apart", "on", "not_on", "spread"])
    names = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(tuple)
    wishes = draw(st.lists(st.builds(Constraint, kinds, names, st.sampled_from(["d0", "d1"])), max_size=2))
    return wanted, devices, wishes


@given(problems())
@settings(max_examples=150)
def test_small_sets_agree_with_trying_everything(problem):
    wanted, devices, wishes = problem
    found = place_set(wanted, devices, wishes)
    problem = AssignmentProblem(wanted, devices, wishes, shipped_policy())
    numbers = {device.name: number for number, device in enumerate(devices)}
    by_name = places(found)
    assignment = [numbers[by_name[one.name]] if one.name in by_name else None for one in wanted]
    assert _allowed(wanted, devices, wishes, assignment)
    assert found.best
    everything = itertools.product([None, *range(len(devices))], repeat=len(wanted))
    values = [objective(problem, way) for way in everything if _allowed(wanted, devices, wishes, way)]
    assert objective(problem, assignment) == pytest.approx(max(value for value in values if value is not None))
    assert len(found.choices) + len(found.missing) == len(wanted)
    assert all(each.reason for each in found.missing)


@given(problems(), st.randoms())
def test_a_set_never_overcommits_and_its_order_does_not_matter(problem, random):
    wanted, devices, wishes = problem
    found = place_set(wanted, devices, wishes)
    _assert_nothing_is_reserved_twice(found, {one.name: one for one in wanted}, devices)
    shuffled = [random.sample(part, len(part)) for part in (wanted, devices, wishes)]
    assert places(place_set(*shuffled)) == places(found)


def _allowed(wanted, devices, wishes, assignment) -> bool:
    """The rules once more, as plainly as possible."""
    where = {
        one.name: None if spot is None else devices[spot].name for one, spot in zip(wanted, assignment, strict=True)
    }
    if any(where[one.name] in one.obstacles for one in wanted):
        return False
    if any(
        where[one.name] and where[one.name] == where.get(other)
        for one in wanted
        for other in one.clashes
        if other != one.name
    ):
        return False
    for wish in wishes:
        placed = [where[name] for name in wish.names if where.get(name)]
        if wish.kind == "together" and len(set(placed)) > 1:
            return False
        if wish.kind == "apart" and len(set(placed)) < len(placed):
            return False
        if wish.kind == "on" and set(placed) - {wish.device}:
            return False
        if wish.kind == "not_on" and wish.device in placed:
            return False
    return True


def _assert_nothing_is_reserved_twice(found, wanted: dict[str, Wanted], devices: list[Candidate]) -> None:
    for device in devices:
        here = [wanted[choice.name].needs for choice in found.choices if choice.device == device.name]
        memory = sum(needs.memory_mb[0] for needs in here)
        sold = memory * 0.9 if len(here) == 1 else memory  # alone, a machine sold with that much is enough
        assert sold <= device.memory_free_mb or not here
        assert sum(needs.storage_mb[0] for needs in here) <= device.disk_left_mb
        assert all(needs.cores[0] <= device.cores for needs in here)
