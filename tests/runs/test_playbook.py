"""A playbook process with the real ansible-runner: events, steps, secrets, and a run that only looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from forgelab.lib.processes import marked
from forgelab.runs.models import Event, Run
from forgelab.runs.playbook import PlaybookProcess
from forgelab.runs.selectors import run_changes
from tests.runs.local import project, shell
from tests.runs.processes import SLEEP, cmdline, sleepers, wait_for
from tests.support import secrets

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_playbook_is_run_and_every_event_stored(supervise, claimed):
    result = supervise({"nginx": [shell("echo hello")], "php": [shell("true", changed_when=False)]}).wait()
    assert (result.status, result.detail, result.device_clean) == ("succeeded", "", True)
    assert list(claimed.steps.values_list("role", "status", "changed")) == [
        ("nginx", "succeeded", True),
        ("php", "succeeded", False),
    ]
    kinds = list(Event.objects.filter(run=claimed).values_list("kind", flat=True))
    assert kinds[0] == "playbook_on_start"
    assert kinds[-1] == "playbook_on_stats"
    claimed.refresh_from_db()
    assert claimed.last_counter == Event.objects.filter(run=claimed).last().counter
    assert marked(str(claimed.pk)) == []


def test_a_failing_task_ends_the_run_with_its_message_and_leaves_what_comes_after_it(supervise, claimed):
    result = supervise({"nginx": [shell("echo no space left >&2; exit 3", "Install")], "php": [shell("true")]}).wait()
    assert result.status == "failed"
    assert result.detail.startswith("Install: ")
    assert "no space left" in result.detail
    assert list(claimed.steps.values_list("status", flat=True)) == ["failed", "pending"]


def test_the_runner_knows_nothing_of_the_workers_environment(supervise, claimed, monkeypatch, tmp_path):
    for name in ("SECRET_KEY", "DATABASE_URL", "FORGELAB_ENCRYPTION_KEYS", "AWS_SECRET", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, f"from-the-worker-{name}")
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    pids = marked(str(claimed.pk))
    assert len(pids) >= 4
    environments = b"".join(Path(f"/proc/{pid}/environ").read_bytes() for pid in pids)
    assert b"FORGELAB_RUN" in environments
    assert secrets.in_text(environments.decode(errors="replace"), ["from-the-worker", "FORGELAB_DATA_DIR"]) == []
    # ansible-runner writes down the command with its environment.
    assert (tmp_path / "artifacts/run/command").exists()
    assert secrets.in_tree(tmp_path, ["from-the-worker", "s3cret-token"]) == []
    assert not any(b"s3cret-token" in cmdline(pid) for pid in pids)
    Run.objects.filter(pk=claimed.pk).update(cancel_requested_at=timezone.now())
    performance.wait()


def test_a_known_secret_is_masked_wherever_a_task_says_it(supervise, claimed):
    supervise({"nginx": [shell("echo my s3cret-token; echo s3cret-token >&2; exit 1", "Say s3cret-token")]}).wait()
    assert secrets.in_database(["s3cret-token"]) == []
    assert "my ********" in str(list(Event.objects.values_list("result", flat=True)))


def test_what_no_database_takes_does_not_stop_the_run(supervise, claimed):
    says = "printf 'a\\000b '; echo '\U0001f600 \u2028'"
    result = supervise({"nginx": [shell(says)]}).wait()
    assert (result.status, result.detail) == ("succeeded", "")
    stored = Event.objects.get(run=claimed, kind="runner_on_ok").result["stdout"]
    assert stored.startswith("ab ")
    assert "\U0001f600" in stored


def test_a_run_that_only_looks_changes_nothing_and_says_what_would(claimed, tmp_path):
    wanted, made = tmp_path / "wanted", tmp_path / "made"
    copy = {"name": "Write it", "ansible.builtin.copy": {"content": "token s3cret-token\n", "dest": str(wanted)},
            "notify": "Tell it"}  # fmt: skip
    left_out = shell("true", "Ask it", when="not ansible_check_mode")
    roles = {"nginx": [copy, shell(f"touch {made}", "Make it")], "php": [left_out, shell("true", changed_when=False)]}
    handlers = [shell(f"touch {made}", "Tell it")]

    looking = PlaybookProcess(claimed, project(tmp_path, roles, handlers), "laravel", ["s3cret-token"], check=True)
    result = looking.perform()

    assert result.status == "succeeded"
    assert not wanted.exists() and not made.exists()
    nginx = run_changes(run=claimed)[0]
    assert [(change.kind, change.what) for change in nginx.changes] == [("task", "Write it"), ("command", "Make it")]
    assert "+token ********" in nginx.changes[0].diff
    assert nginx.handlers == ["Tell it"]
    texts = "".join(Event.objects.filter(run=claimed).values_list("stdout", flat=True))
    assert "skipping" in texts and "=> {" not in texts
    assert secrets.in_database(["s3cret-token"]) == []
