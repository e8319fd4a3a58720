"""The same ForgeLab on PostgreSQL and Redis, as in production: a run from click to end, and a cancel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from forgelab.lab import Lab
from tests.e2e.config import BOOKWORM
from tests.support.services import postgres, redis
from tests.support.stack import Stack

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with postgres() as database_url, redis() as broker_url:
        stack = Stack(tmp_path_factory.mktemp("services"), DATABASE_URL=database_url, CELERY_BROKER_URL=broker_url)
        stack.start()
        yield stack
        stack.stop()


def test_a_run_goes_through_celery_on_redis_and_is_recorded_in_postgresql(stack: Stack, lab: Lab) -> None:
    device = lab.up("e2e-services", memory="4G", cpus=2)
    device_id = stack.add(device, lab.key_path)
    refused = stack.wait_for_end(stack.provision("on-services", device_id, {**BOOKWORM, "php_version": "8.3"}))
    assert refused["status"] == "failed"
    assert "8.2" in refused["status_detail"]

    run_id = stack.provision("on-services", device_id, BOOKWORM)
    stack.wait_for_step(run_id, "packages")
    stack.api.post(f"runs/{run_id}/cancel").raise_for_status()
    run = stack.wait_for_end(run_id, timeout=60)
    assert run["status"] == "cancelled"
    counters = [event["counter"] for event in stack.api.get(f"runs/{run_id}/events").json()["results"]]
    assert counters == sorted(set(counters))
    device.remove()
