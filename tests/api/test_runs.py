from __future__ import annotations

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from forgelab.runs.models import Event, Run
from tests import factories

RUNS = "/api/v1/runs"

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    return factories.run(factories.device("web1"))


def test_a_run_is_shown_with_its_steps(api: APIClient, run: Run) -> None:
    shown = api.get(f"{RUNS}/{run.pk}").json()
    assert shown["status"] == "running" and shown["percent"] == 33
    assert [(s["position"], s["count"], s["status"], s["seconds"]) for s in shown["steps"]] == [
        (1, 9, "succeeded", 3.1), (2, 9, "succeeded", 62.4), (3, 9, "succeeded", 5.2), (4, 9, "running", None),
        *((position, 9, "pending", None) for position in range(5, 10)),
    ]  # fmt: skip
    assert api.get(f"{RUNS}/{run.pk}/steps").json() == shown["steps"]


def test_runs_are_listed_newest_first_without_their_plan(api: APIClient, run: Run) -> None:
    newer = factories.run(run.device, "failed")
    answer = api.get(RUNS)
    assert [row["id"] for row in answer.json()["results"]] == [str(newer.pk), str(run.pk)]
    assert factories.SECRET not in answer.content.decode()


def test_runs_are_filtered_by_status_and_device(api: APIClient, run: Run) -> None:
    other = factories.run(factories.device("web2", address="192.0.2.11"), "failed")
    for query in ("status=failed", "device=web2", f"device={other.device_id}"):
        assert [row["id"] for row in api.get(f"{RUNS}?{query}").json()["results"]] == [str(other.pk)]


def test_pages_lead_to_every_run_once(api: APIClient, run: Run) -> None:
    for _ in range(4):
        factories.run(run.device, "succeeded")
    address, seen = f"{RUNS}?limit=2", []
    while address:
        answer = api.get(address).json()
        seen += [row["id"] for row in answer["results"]]
        address = answer["next"]
    assert sorted(seen) == sorted(str(key) for key in Run.objects.values_list("pk", flat=True))


def test_events_are_resumed_after_a_counter(api: APIClient, run: Run) -> None:
    first = api.get(f"{RUNS}/{run.pk}/events?limit=1").json()
    assert ([e["counter"] for e in first["results"]], first["next"], first["finished"]) == ([1], 1, False)
    rest = api.get(f"{RUNS}/{run.pk}/events?after=1").json()
    assert ([e["counter"] for e in rest["results"]], rest["next"]) == ([2], 2)
    assert api.get(f"{RUNS}/{run.pk}/events?after=2").json() == {"results": [], "next": 2, "finished": False}


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=99999999999999", "limit=2001", "limit=1e3", "after=٣"])
def test_counters_that_cannot_be_are_refused(api: APIClient, run: Run, query: str) -> None:
    answer = api.get(f"{RUNS}/{run.pk}/events?{query}")
    assert answer.status_code == 400
    assert "is not a whole number from 0 to" in answer.json()[query.partition("=")[0]][0]


def test_an_event_shows_no_raw_result(api: APIClient, run: Run) -> None:
    Event.objects.filter(run=run).update(result={"password": "hidden-in-result"})
    assert "hidden-in-result" not in api.get(f"{RUNS}/{run.pk}/events").content.decode()


def test_a_running_run_is_asked_to_stop(api: APIClient, run: Run) -> None:
    answer = api.post(f"{RUNS}/{run.pk}/cancel")
    assert answer.status_code == 202 and answer.json()["run"]["cancel_requested"] is True
    run.refresh_from_db()
    assert run.cancel_requested_at


def test_a_run_that_has_ended_cannot_be_cancelled(api: APIClient, run: Run) -> None:
    factories.end(run, "succeeded")
    answer = api.post(f"{RUNS}/{run.pk}/cancel")
    assert answer.status_code == 409
    assert "already ended" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["", "/steps", "/events"])
def test_an_unknown_run_is_not_found(api: APIClient, path: str) -> None:
    key = uuid4()
    answer = api.get(f"{RUNS}/{key}{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": f"There is no run {key}."})


def test_a_device_is_shown_with_fingerprints_and_without_its_key(api: APIClient, run: Run) -> None:
    listed = api.get("/api/v1/devices?status=reachable").json()["results"]
    assert [(row["name"], row["memory_total_mb"], row["fingerprints"]) for row in listed] == [
        ("web1", 16_384, [factories.FINGERPRINT])
    ]
    shown = api.get(f"/api/v1/devices/{run.device_id}")
    assert shown.json() == listed[0] and "private" not in shown.content.decode()
