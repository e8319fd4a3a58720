"""Two provisions that ask for the last memory at the same moment: nothing is reserved twice."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from forgelab.accounts.actors import SYSTEM
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking
from forgelab.servers.provisioning import services
from tests.devices.placement.examples import GB
from tests.servers.helpers import FOUR
from tests.support.threads import at_once


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
        return services.server_provision(
            server_type=f"four-{number}", name=number, device=device, config={}, actor=SYSTEM
        )

    @pytest.mark.parametrize("automatic", [True, False])
    def test_for_the_last_memory_has_one_winner_and_one_sentence(
        self, two_types, device, enqueued, monkeypatch, automatic
    ):
        type(device).objects.update(memory_available_mb=4 * GB)
        monkeypatch.setattr(ranking, "device_list", Slowly(ranking.device_list))
        chosen = None if automatic else device
        results = at_once(lambda: self.ask("one", chosen), lambda: self.ask("two", chosen))
        assert sorted(type(result).__name__ for result in results) == ["Run", "ValidationError"]
        loser = next(result for result in results if isinstance(result, ValidationError))
        assert "0GB RAM free (4GB are reserved for the servers on it), at least 4GB needed" in str(loser)
        assert sum(Server.objects.values_list("memory_mb", flat=True)) == 4 * GB

    def test_is_none_where_there_is_enough_for_both(self, two_types, device, enqueued):
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
