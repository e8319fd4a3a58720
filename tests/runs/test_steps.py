"""The tracker on the events of recorded plays, as `slim` leaves them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forgelab.runs.models import Step
from forgelab.runs.steps import StepTracker, failure_message

START = datetime(2026, 1, 1, tzinfo=UTC)
TASK, OK, FAILED = "playbook_on_task_start", "runner_on_ok", "runner_on_failed"


def event(kind, role="", **more):
    return {"kind": kind, "role": role, "task": "Install", "host": "web", "ignored": False, "result": None, **more}


def stats(**counts):
    return event("playbook_on_stats", result={"failures": {}, "dark": {}} | {k: {"web": n} for k, n in counts.items()})


def play(*timed):
    """A tracker of nginx, php and redis after events at these seconds."""
    tracker = StepTracker([Step(position=n, role=role) for n, role in enumerate(("nginx", "php", "redis"), 1)])
    for seconds, happened in timed:
        tracker.take(happened, START + timedelta(seconds=seconds))
    return tracker


def state(tracker):
    return [(step.status, step.seconds) for step in tracker.steps.values()]


def test_steps_follow_the_roles_with_their_seconds():
    tracker = play(
        (0, event(TASK, "nginx")), (2, event(OK, "nginx", result={"changed": True})), (2.5, event(TASK, "nginx")),
        (4, event(TASK, "php")), (5, event(OK, "php", result={"changed": False})), (9, event(TASK, "redis")),
        (9.5, event(OK, "redis")), (10, stats()),
    )  # fmt: skip
    assert state(tracker) == [("succeeded", 4.0), ("succeeded", 5.0), ("succeeded", 1.0)]
    assert [step.changed for step in tracker.steps.values()] == [True, False, False]


def test_while_it_runs_one_step_is_running():
    assert state(play((0, event(TASK, "nginx")), (3, event(TASK, "php")))) == [
        ("succeeded", 3.0), ("running", None), ("pending", None),
    ]  # fmt: skip


def test_a_failure_fails_its_step_with_the_message_and_what_follows_is_not_reached():
    failed = event(FAILED, "php", result={"msg": "No package matching 'php9'"})
    tracker = play((0, event(TASK, "nginx")), (1, event(TASK, "php")), (3, failed), (3, stats(failures=1)))
    tracker.abandon("The run failed.", failed=True)
    assert state(tracker) == [("succeeded", 1.0), ("failed", 2.0), ("skipped", None)]
    assert tracker.steps["php"].detail == "Install: No package matching 'php9'"


def test_an_ignored_failure_fails_nothing():
    tracker = play((0, event(TASK, "nginx")), (1, event(FAILED, "nginx", ignored=True)), (2, event(TASK, "php")))
    assert state(tracker)[0] == ("succeeded", 2.0)


def test_a_rescued_failure_is_no_failure_in_the_end():
    tracker = play((0, event(TASK, "nginx")), (1, event(FAILED, "nginx", result={"msg": "no"})), (2, stats(rescued=1)))
    assert state(tracker)[0] == ("succeeded", 2.0)
    assert tracker.steps["nginx"].detail == ""


def test_an_unreachable_device_fails_the_step_and_says_so():
    gone = event("runner_on_unreachable", "php", result={"msg": "Connection timed out"})
    tracker = play((0, event(TASK, "php")), (5, gone), (5, stats(dark=1)))
    assert state(tracker)[1] == ("failed", 5.0)
    assert tracker.steps["php"].detail == "web could not be reached any more: Connection timed out"


def test_a_handler_brings_an_earlier_step_back_and_its_seconds_go_on():
    events = [(0, event(TASK, "nginx")), (2, event(TASK, "php")), (3, event(TASK, "nginx"))]
    assert state(play(*events))[:2] == [("running", 2.0), ("succeeded", 1.0)]
    assert state(play(*events, (7, stats())))[:2] == [("succeeded", 6.0), ("succeeded", 1.0)]


def test_a_handler_that_fails_fails_the_step_it_came_back_to():
    events = [(0, event(TASK, "nginx")), (2, event(TASK, "php")), (3, event(TASK, "nginx"))]
    assert state(play(*events, (4, event(FAILED, "nginx")), (4, stats(failures=1))))[0] == ("failed", 3.0)


def test_a_step_that_failed_stays_failed_when_a_handler_comes_back_to_it():
    events = [
        (0, event(TASK, "nginx")),
        (1, event(FAILED, "nginx")),
        (1, event(TASK, "php")),
        (2, event(TASK, "nginx")),
    ]
    assert state(play(*events, (3, stats(failures=1))))[0][0] == "failed"


def test_tasks_of_other_roles_and_of_none_move_nothing():
    tracker = play((0, event(TASK, "nginx")), (1, event(TASK, "common")), (1, event(TASK)), (2, event(TASK, "php")))
    assert state(tracker)[0] == ("succeeded", 2.0)


def test_a_role_without_a_task_is_passed_over_when_the_run_succeeds():
    tracker = play((0, event(TASK, "nginx")), (1, event(TASK, "redis")), (2, stats()))
    tracker.complete()
    assert [step.status for step in tracker.steps.values()] == ["succeeded", "skipped", "succeeded"]


def test_a_cancelled_run_stops_what_was_running_and_says_why():
    tracker = play((0, event(TASK, "nginx")), (2, event(TASK, "php")))
    tracker.abandon("Cancelled on request.", failed=False)
    assert [(step.status, step.detail) for step in tracker.steps.values()] == [
        ("succeeded", ""), ("stopped", "Cancelled on request."), ("skipped", ""),
    ]  # fmt: skip


def test_a_clock_that_goes_back_takes_no_seconds_away():
    assert state(play((5, event(TASK, "nginx")), (3, event(TASK, "php"))))[0] == ("succeeded", 0.0)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"msg": "No space"}, "Install: No space"),
        ({"msg": "non-zero return code", "stderr": "E: broken"}, "Install: non-zero return code\nE: broken"),
        ({"msg": "E: broken", "stderr": "E: broken"}, "Install: E: broken"),
        ({"stdout": "\n".join(map(str, range(40)))}, "Install: " + "\n".join(map(str, range(25, 40)))),
        ({}, "Install failed without a message"),
        (None, "Install failed without a message"),
        ({"msg": ["a", "b"], "stderr": 5}, "Install: ['a', 'b']\n5"),
    ],
)  # fmt: skip
def test_a_failing_task_is_reported_in_its_shortest_useful_form(result, message):
    assert failure_message(event(FAILED, result=result)) == message
