"""Beside which active runs another may not be started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forgelab.runs import kinds
from forgelab.runs.conflicts import conflicting_run
from forgelab.runs.models import Run
from tests.support.kinds import TEST

pytestmark = pytest.mark.django_db

WRITE = replace(
    TEST, name="test.write", conflicts=frozenset({"test.write"}), device_conflicts=frozenset({"test.write"}),
    removes=lambda request: bool(request.get("gone")),
)  # fmt: skip
READ = replace(TEST, name="test.read", conflicts=frozenset({"test.write"}))
kinds.register(WRITE)
kinds.register(READ)


@pytest.fixture
def other(make_device):
    return make_device("homelab-server-02")


def test_a_kind_that_it_names_conflicts_for_the_same_subject(make_run, device, other):
    writing = make_run(kind=WRITE, subject=device)
    assert conflicting_run(WRITE, subject=device) == writing
    assert conflicting_run(READ, subject=device) == writing
    assert conflicting_run(WRITE, subject=other) is None


def test_a_kind_that_it_does_not_name_is_no_conflict(make_run, device):
    make_run(kind=READ, subject=device)
    assert conflicting_run(WRITE, subject=device) is None


def test_a_run_that_has_ended_is_no_conflict(make_run, device):
    make_run(kind=WRITE, subject=device)
    Run.objects.update(status="succeeded")
    assert conflicting_run(WRITE, subject=device) is None


def test_for_a_new_subject_nothing_can_be_running(make_run, device):
    make_run(kind=WRITE, subject=device)
    assert conflicting_run(WRITE, subject=None) is None


@pytest.mark.parametrize(
    ("theirs", "mine", "conflict"), [([], [], False), (["redis"], [], True), ([], ["redis"], True)]
)
def test_on_one_device_two_conflict_when_one_takes_away(make_run, device, other, theirs, mine, conflict):
    running = make_run(kind=WRITE, device=device, subject=other, request={"gone": theirs})
    found = conflicting_run(WRITE, subject=device, device=device, request={"gone": mine})
    assert found == (running if conflict else None)


def test_on_one_device_the_subjects_own_runs_are_not_asked(make_run, device):
    make_run(kind=WRITE, device=device, subject=device, request={"gone": ["redis"]})
    assert conflicting_run(WRITE, subject=device, device=device) is None


def test_what_must_be_alone_conflicts_with_every_run(make_run, device, other):
    reading = make_run(kind=READ, device=device, subject=other)
    assert conflicting_run(subject=other) == reading
    assert conflicting_run(device=device) == reading
    assert conflicting_run(device=other) is None
