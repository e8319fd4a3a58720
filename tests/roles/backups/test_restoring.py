"""Restoring: only from a sound backup, and what was there is kept until somebody drops it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.roles.backups.program import NOW, Memory, flip_a_bit, load, problems

restoring = load("restoring")
Problem = problems.Problem


def test_a_flipped_bit_is_found_reported_and_remembered(job: Any) -> None:
    job.back_up(["shop"])
    (backup,) = job.store.of("postgresql", "shop")
    flip_a_bit(job.store.path(backup))
    with pytest.raises(Problem, match=r"20261121-020003 of shop is damaged and cannot be restored: its checksum"):
        restoring.restore(job, "shop")
    assert job.store.of("postgresql", "shop")[0].damaged
    with pytest.raises(Problem, match="Every backup of shop is damaged"):
        restoring.restore(job, "shop")


def test_the_newest_sound_backup_is_restored(job: Any, server: Memory) -> None:
    job.back_up(["shop"])
    server.contents["shop"] = "other rows"
    job.now = lambda: NOW + timedelta(days=1)
    job.back_up(["shop"])
    newest = job.store.of("postgresql", "shop")[0]
    flip_a_bit(job.store.path(newest))
    with pytest.raises(Problem, match="damaged"):
        restoring.restore(job, "shop")
    restored = restoring.restore(job, "shop")
    assert server.contents["shop"] == "rows"
    assert server.contents[restored.kept] == "other rows"


def test_restoring_keeps_what_was_there_under_a_dated_name(job: Any, server: Memory) -> None:
    job.back_up(["shop"])
    server.contents["shop"] = "wrong rows"
    restored = restoring.restore(job, "shop")
    assert server.contents["shop"] == "rows"
    assert restored.kept == "shop_before_20261121_020003"
    assert server.contents[restored.kept] == "wrong rows"


def test_a_restore_that_fails_leaves_everything_as_it_was(job: Any, server: Memory) -> None:
    job.back_up(["shop"])
    server.contents["shop"] = "newer rows"
    server.refused = True
    with pytest.raises(Problem, match="out of memory"):
        restoring.restore(job, "shop")
    assert server.contents == {"shop": "newer rows", "blog": "posts"}


def test_a_half_restored_database_of_a_killed_program_is_removed_by_the_next(job: Any, server: Memory) -> None:
    job.back_up(["shop"])
    server.contents["shop_restoring_20261120_101500"] = "half"
    restoring.restore(job, "shop", into="copy")
    assert sorted(server.contents) == ["blog", "copy", "shop"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"database": "nothing"}, "There is no backup of a database nothing"),
        ({"database": "shop", "at": "20200101-000000"}, "There are: 20261121-020003"),
        ({"database": "shop", "into": "blog"}, "There is already a database blog"),
        ({"database": "(accounts)"}, "There is no backup of a database"),
    ],
)
def test_it_refuses_with_the_way_out(job: Any, given: dict[str, str], words: str) -> None:
    job.back_up([])
    with pytest.raises(Problem, match=words.replace("(", r"\(").replace(")", r"\)")):
        restoring.restore(job, **given)


def test_only_what_a_restore_kept_can_be_dropped(job: Any, server: Memory) -> None:
    server.contents["shop_before_20261120_101500"] = "old"
    with pytest.raises(Problem, match="not kept by a restore"):
        restoring.drop("shop")
    restoring.drop("shop_before_20261120_101500")
    assert sorted(server.contents) == ["blog", "shop"]
