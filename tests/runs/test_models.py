from __future__ import annotations

from forgelab.runs.models import Run


def test_what_failed_or_was_not_reached_does_not_count_as_done(run: Run) -> None:
    assert run.percent == 0
    run.steps.filter(role="nginx").update(status="succeeded")
    run.steps.exclude(role="nginx").update(status="failed")
    assert run.percent == 50
    run.steps.update(status="succeeded")
    assert run.percent == 100
