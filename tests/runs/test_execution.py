"""A run from queued to ended, with the real ansible-runner where it matters."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError

from forgelab.accounts.actors import SCHEDULER, SYSTEM
from forgelab.runs import claims, execution, orphans, queue, selectors, services, tasks
from forgelab.runs.execution import execute, secret_texts
from forgelab.runs.models import DeviceLock, Run, Step
from forgelab.runs.plan import Plan, PlannedRole
from forgelab.runs.playbook import PlaybookProcess
from forgelab.runs.results import RunResult, RunSummary
from forgelab.runs.steps import StepTracker
from tests.support import secrets
from tests.support.kinds import TEST

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def on_device(monkeypatch):
    """Ending processes on the device: the runs it was asked for; `left` says how many remain, None: out of reach."""
    asked = type("Asked", (), {"runs": [], "left": 0})()

    def left_on_device(device, run_ids, timeout=15):
        asked.runs.extend(str(run_id) for run_id in run_ids)
        return asked.left

    monkeypatch.setattr(orphans, "left_on_device", left_on_device)
    return asked


@pytest.fixture
def performs(monkeypatch):
    """Let the playbook end at once, with this result."""

    def tell(result):
        def perform(self):
            if isinstance(result, Exception):
                Step.objects.filter(run=self.run, role="nginx").update(status="succeeded", seconds=3.0)
                raise result
            for step in self.writer.tracker.steps.values():
                step.status = "succeeded" if result.status == "succeeded" else "running"
            self.writer.summary = RunSummary(stats={"ok": {}}, learned={"versions": []})
            self.writer.finish()
            return result

        monkeypatch.setattr(PlaybookProcess, "perform", perform)

    return tell


def states(run):
    return list(run.steps.values_list("status", flat=True))


def test_a_run_that_succeeds_is_closed_with_what_it_learned(run, performs, settings):
    performs(RunResult("succeeded"))
    ended = execute(run.pk)
    assert (ended.status, ended.outcome) == ("succeeded", {"versions": [], "recap": {"ok": {}}})
    assert states(run) == ["succeeded", "succeeded"]
    assert not DeviceLock.objects.exists()
    assert list(settings.RUNS_DIR.iterdir()) == []


def test_everything_secret_of_the_run_is_known_to_the_mask(run, performs, monkeypatch):
    performs(RunResult("succeeded"))
    known: list[str] = []
    monkeypatch.setattr(
        execution, "PlaybookProcess", lambda *args, **more: known.extend(args[-1]) or PlaybookProcess(*args, **more)
    )
    execute(run.pk)
    assert {run.device.identity.private_key, "s3cret-token"} < set(known)
    assert len(known) == 3  # and the vault's password


def test_a_run_that_is_enqueued_twice_is_done_once(run, performs):
    performs(RunResult("succeeded"))
    assert execute(run.pk)
    assert execute(run.pk) is None


def test_at_its_end_the_next_run_for_the_device_is_enqueued(make_run, performs, enqueued):
    performs(RunResult("failed", "no"))
    first, second, third = make_run(), make_run(), make_run()
    enqueued.clear()
    execute(first.pk)
    assert enqueued == [str(second.pk)]
    assert third.status == "queued"


def test_when_forgelab_itself_fails_the_run_ends_and_keeps_its_progress(run, performs, settings, on_device):
    performs(RuntimeError("boom"))
    ended = execute(run.pk)
    assert (ended.status, ended.device_clean) == ("failed", True)
    assert "ForgeLab itself failed (RuntimeError)" in ended.status_detail
    assert states(run) == ["succeeded", "skipped"]
    assert run.steps.first().seconds == 3.0
    assert list(settings.RUNS_DIR.iterdir()) == []
    assert on_device.runs == [str(run.pk)]


def test_an_ending_that_the_database_refuses_for_a_moment_is_stored(run, performs, monkeypatch):
    performs(RunResult("succeeded"))
    real, tries = claims.end, []

    def end(*args, **more):
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("the server is restarting")
        return real(*args, **more)

    monkeypatch.setattr(claims, "end", end)
    monkeypatch.setattr(execution, "RETRY", 0.01)
    assert execute(run.pk).status == "succeeded"


def test_a_folder_that_somebody_else_may_read_is_refused(run, settings, tmp_path):
    settings.RUNS_DIR = tmp_path / "shared"
    settings.RUNS_DIR = type(tmp_path)("/dev/shm") / f"t{run.pk.hex[:8]}"
    settings.RUNS_DIR.mkdir(mode=0o755)
    ended = execute(run.pk)
    settings.RUNS_DIR.rmdir()
    assert ended.status == "failed"
    assert "is not a private folder of this user" in ended.status_detail


def test_a_folder_with_a_name_too_long_for_sockets_is_refused(run, settings, tmp_path):
    settings.RUNS_DIR = tmp_path / ("long" * 20)
    assert "FORGELAB_RUNS_DIR a shorter one" in execute(run.pk).status_detail


def test_a_device_that_does_not_answer_fails_the_run_with_its_name(make_run, settings):
    """The whole way with the real ansible-runner and ssh; nothing listens on the device's port."""
    role = PlannedRole("versions", "Recording versions", secrets={"versions_x": "s3cret-x"})
    plan = Plan("laravel", "Provision laravel", (role,))
    ended = execute(make_run(plan=plan).pk)
    assert ended.status == "failed", ended.status_detail
    assert "homelab-server-01 could not be reached any more" in ended.status_detail
    assert states(ended) == ["failed"]
    assert ended.outcome["recap"]["dark"] == {"homelab-server-01": 1}
    assert list(settings.RUNS_DIR.iterdir()) == []
    assert secrets.in_database(["s3cret-x", ended.device.identity.private_key]) == []


def test_every_text_inside_the_secrets_is_known():
    roles = (PlannedRole("a", "A", secrets={"x": "one", "y": {"z": ["two", ("three",)]}, "n": 5}),)
    assert secret_texts(Plan("a", "A", roles)) == ["one", "two", "three"]


class TestCancel:
    def test_of_a_queued_run_is_done_at_once(self, run, listen):
        told = []
        listen(lambda ended: told.append(ended.status))
        cancelled = services.run_cancel(run=run, actor=SYSTEM)
        assert (cancelled.status, cancelled.status_detail) == ("cancelled", "Cancelled before it began.")
        assert cancelled.finished_at
        assert states(run) == ["skipped", "skipped"]
        assert told == ["cancelled"]
        assert claims.claim(run.pk) is None

    def test_of_a_running_one_asks_its_worker(self, run):
        claims.claim(run.pk)
        cancelled = services.run_cancel(run=run, actor=SYSTEM)
        assert cancelled.status == "running"
        assert cancelled.cancel_requested_at

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("succeeded", "it succeeded"),
            ("failed", "it failed"),
            ("cancelled", "it was cancelled"),
            ("lost", "its worker died"),
        ],
    )
    def test_of_an_ended_one_is_refused_in_words(self, run, status, words):
        Run.objects.update(status=status)
        with pytest.raises(ValidationError) as refused:
            services.run_cancel(run=run, actor=SYSTEM)
        assert refused.value.messages == [f"This run has already ended: {words}."]


class TestAsking:
    def test_for_a_run_enqueues_it_after_the_commit(self, device, plan, enqueued):
        from django.db import transaction

        with transaction.atomic():
            made = services.run_create(plan=plan, kind=TEST, device=device, subject=device, actor=SYSTEM)
            assert enqueued == []
        assert enqueued == [str(made.pk)]

    def test_for_a_run_is_remembered_with_who_asked(self, make_run):
        assert make_run(actor=SCHEDULER).requested_by_name == "scheduler"

    def test_for_a_lost_run_again_does_not_change_who_asked(self, make_run):
        lost = make_run(actor=SCHEDULER)
        repeat = services.run_repeat(run=lost)
        assert repeat.requested_by_name == "scheduler"

    def test_for_a_run_that_is_rolled_back_enqueues_nothing(self, device, plan, enqueued):
        from django.db import transaction

        with pytest.raises(ZeroDivisionError), transaction.atomic():
            services.run_create(plan=plan, kind=TEST, device=device, subject=device, actor=SYSTEM)
            1 / 0  # noqa: B018
        assert enqueued == []
        assert not Run.objects.exists()

    @pytest.mark.parametrize("error", [OSError("no space left"), ConnectionError("refused"), ValueError("OOM")])
    def test_with_a_broker_that_is_away_still_makes_the_run(self, device, plan, monkeypatch, caplog, error):
        def away(name, **message):
            raise error

        monkeypatch.setattr(queue.app, "send_task", away)
        made = services.run_create(plan=plan, kind=TEST, device=device, subject=device, actor=SYSTEM)
        made.refresh_from_db()
        assert (made.status, made.enqueued_at) == ("queued", None)
        assert "it will be enqueued again" in caplog.text

    def test_with_a_broker_that_works_notes_when_it_was_enqueued(self, device, plan, monkeypatch):
        sent = []
        monkeypatch.setattr(queue.app, "send_task", lambda name, **message: sent.append((name, message)))
        made = services.run_create(plan=plan, kind=TEST, device=device, subject=device, actor=SYSTEM)
        made.refresh_from_db()
        assert made.enqueued_at
        assert sent == [(tasks.execute_run.name, {"args": [str(made.pk)], "task_id": str(made.pk), "retry": False})]

    def test_where_no_run_waits_for_the_device_nothing_is_enqueued(self, device, enqueued):
        queue.enqueue_next(device.pk)
        assert enqueued == []


class TestReading:
    def test_the_snapshot_is_json_and_holds_no_secret(self, run):
        snapshot = selectors.run_snapshot(run_id=run.pk)
        text = json.dumps(snapshot)
        assert secrets.in_text(text, ["s3cret-token", run.device.identity.private_key]) == []
        assert [(step["position"], step["count"], step["title"]) for step in snapshot["steps"]] == [
            (1, 2, "Setting up Nginx"), (2, 2, "Setting up PHP 8.3"),
        ]  # fmt: skip
        assert snapshot["device"]["name"] == "homelab-server-01"
        assert (snapshot["percent"], snapshot["seconds"], snapshot["retry"]) == (0, None, None)

    def test_a_repeated_run_names_the_one_that_repeats_it(self, run):
        claims.end(claims.claim(run.pk), RunResult("lost", "died"))
        run.refresh_from_db()
        assert selectors.run_snapshot(run_id=run.pk)["retry"] == str(run.retried_by.pk)

    def test_a_run_that_is_not_there_is_reported(self, run):
        Run.objects.all().delete()
        with pytest.raises(Run.DoesNotExist):
            selectors.run_snapshot(run_id=run.pk)

    def test_lists_do_not_read_plans(self, run, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert "plan" not in selectors.run_list(status="queued").get().__dict__
        assert not selectors.run_list(status="failed").exists()
        assert selectors.run_list(device=run.device).count() == 1

    def test_percent_counts_steps_that_are_done(self, run):
        tracker = StepTracker(run.steps.all())
        tracker.steps["nginx"].status = "succeeded"
        tracker.steps["nginx"].save()
        assert run.percent == 50
