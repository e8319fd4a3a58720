from __future__ import annotations

import json
from pathlib import Path

import pytest

from forgelab.cli import follow
from forgelab.runs import selectors
from forgelab.runs.models import Run
from forgelab.servers.models import Component, Server
from tests import factories
from tests.cli.commands import Command

PROVISION = ("server", "provision", factories.SMALL, "--name", "web")


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is there, and nobody has to wait for one."""
    monkeypatch.setattr(follow, "check_worker", lambda run_id: None)
    monkeypatch.setattr(follow, "INTERVAL", 0)


def ends(monkeypatch: pytest.MonkeyPatch, status: str, detail: str = "") -> None:
    """Every run ends so as soon as it is looked at for the third time."""
    looks: dict[str, int] = {}
    original = selectors.run_snapshot

    def run_snapshot(*, run_id: object) -> dict:
        looks[str(run_id)] = looks.get(str(run_id), 0) + 1
        if looks[str(run_id)] == 3:
            run = Run.objects.get(pk=str(run_id))
            factories.end(run, status, detail)
            if status == "succeeded":
                Component.objects.create(server_id=run.subject_id, name="nginx", title="Nginx", version="1.22.1")
        return original(run_id=run_id)

    monkeypatch.setattr(selectors, "run_snapshot", run_snapshot)


def test_a_success_ends_with_components_credentials_and_next_steps(
    forgelab: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.device("big")
    ends(monkeypatch, "succeeded")
    done = forgelab(*PROVISION, "--set", "php_version=8.2", "--set", "include_redis=no")

    assert done.status == 0, done.err
    server = Server.objects.get()
    assert server.config["php_version"] == "8.2" and server.config["include_redis"] is False
    for words in (
        "Small Server Ready!",
        "Device: big",
        "• Nginx 1.22.1",
        f"Password: {server.secrets['database_password']}",
    ):
        assert words in done.out


def test_credentials_are_hidden_when_asked(forgelab: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.device("big")
    ends(monkeypatch, "succeeded")
    done = forgelab(*PROVISION, "--hide-credentials")
    secret = Server.objects.get().secrets["database_password"]
    assert secret not in done.out and "forgelab server credentials web" in done.out
    assert secret in forgelab("server", "credentials", "web").out


def test_each_finished_step_is_one_line_with_its_seconds(forgelab: Command) -> None:
    run = factories.run(factories.device("big"), "failed")
    done = forgelab("run", "watch", str(run.pk)[:8])
    assert "ok       Setting up Nginx (3/9) - 5.2 seconds, nothing to change\n" in done.out


def test_a_failure_ends_with_the_failing_tasks_message(forgelab: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.device("big")
    ends(monkeypatch, "failed", "php8.3-fpm has no candidate on Debian 12; choose 8.2")
    done = forgelab(*PROVISION)
    assert done.status == 1
    assert "php8.3-fpm has no candidate on Debian 12; choose 8.2" in done.err and "forgelab run show" in done.err


def test_the_result_is_json_alone_when_asked(forgelab: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.device("big")
    ends(monkeypatch, "succeeded")
    done = forgelab(*PROVISION, "--json")
    data = json.loads(done.out)
    assert data["run"]["status"] == "succeeded" and data["server"]["name"] == "web"
    assert Server.objects.get().secrets["database_password"] not in done.out


def test_without_waiting_the_run_is_only_queued(forgelab: Command) -> None:
    factories.device("big")
    done = forgelab(*PROVISION, "--no-wait")
    assert done.status == 0 and f"forgelab run watch {str(Run.objects.get().pk)[:8]}" in done.out


def test_without_a_worker_it_says_what_to_start(forgelab: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.device("big")

    def nobody(run_id: object) -> None:
        raise follow.NobodyWorks(run_id)

    monkeypatch.setattr(follow, "check_worker", nobody)
    done = forgelab(*PROVISION)
    assert done.status == 1 and "is queued" in done.err and "forgelab up" in done.err
    assert Run.objects.get().status == "queued"


def test_ctrl_c_cancels_the_run_and_ends_with_130(forgelab: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.device("big")

    def interrupt(run_id: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(follow, "check_worker", interrupt)
    done = forgelab(*PROVISION)
    assert done.status == 130 and "Provision again" in done.out
    assert Run.objects.get().status == "cancelled"


def test_ctrl_c_while_watching_leaves_the_run_alone(forgelab: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    run = factories.run(factories.device("big"))

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(follow.time, "sleep", interrupt)
    assert forgelab("run", "watch", str(run.pk)).status == 130
    run.refresh_from_db()
    assert run.status == "running" and run.cancel_requested_at is None


def test_a_lost_run_is_followed_to_its_retry(forgelab: Command) -> None:
    lost = factories.run(factories.device("big"), "lost")
    retry = factories.run(lost.device, "succeeded", retry_of=lost)
    done = forgelab("run", "watch", str(lost.pk))
    assert done.status == 0 and f"repeated as run {str(retry.pk)[:8]}" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "php_version=7.4"), 'config.php_version: "7.4" is not one of 8.1, 8.2, 8.3'),
        (("--set", "php_versoin=8.2"), 'did you mean "php_version"?'),
        (("--set", "php_workers=many"), "must be a whole number from 1 to 100"),
        (("--set", "php_workers=3", "--set", "php_workers=4"), "given twice"),
        (("--device", "bog"), 'Did you mean "big"?'),
    ],
)
def test_wrong_input_is_reported_and_stores_nothing(forgelab: Command, arguments: tuple[str, ...], words: str) -> None:
    factories.device("big")
    done = forgelab(*PROVISION, *arguments)
    assert done.status == 1 and words in done.err and "Traceback" not in done.err
    assert not Server.objects.exists()


def test_an_option_without_a_value_is_a_usage_error(forgelab: Command) -> None:
    done = forgelab(*PROVISION, "--set", "php_version")
    assert done.status == 2 and "OPTION=VALUE" in done.err


def test_the_ranking_explains_itself(forgelab: Command) -> None:
    factories.device("big", memory_total_mb=16384, memory_available_mb=16384)
    factories.device("tiny", memory_total_mb=512, memory_available_mb=512)
    out = forgelab("place", factories.SMALL).out
    assert out.index("big") < out.index("tiny")
    assert "16GB RAM available" in out and "unfit" in out and "at least 2GB needed" in out


def test_an_export_shows_how_to_run_it(forgelab: Command, tmp_path: Path) -> None:
    assert "Provision one first" in forgelab("export", str(tmp_path / "x")).err


def test_a_run_is_cancelled_by_the_beginning_of_its_id(forgelab: Command) -> None:
    run = factories.run(factories.device("big"), "queued")
    assert forgelab("run", "cancel", str(run.pk)[:6]).status == 0
    run.refresh_from_db()
    assert run.status == "cancelled"
    again = forgelab("run", "cancel", str(run.pk))
    assert again.status == 1 and "already ended" in again.err


def test_a_beginning_that_two_runs_share_is_refused(forgelab: Command) -> None:
    device = factories.device("big")
    for tail in "12":
        factories.run(device, id=f"abcdef00-0000-4000-8000-00000000000{tail}")
    done = forgelab("run", "show", "abcdef")
    assert done.status == 1 and "More than one run" in done.err


def test_a_run_shows_its_steps_and_the_failing_ones_message(forgelab: Command) -> None:
    run = factories.run(factories.device("big"))
    factories.end(run, "failed", "nginx: configuration test failed")
    shown = forgelab("run", "show", str(run.pk)).out
    assert "FAILED   Setting up PHP 8.2 (4/9)" in shown and "configuration test failed" in shown
    assert json.loads(forgelab("run", "show", str(run.pk), "--json").out)["id"] == str(run.pk)


def test_users_and_tokens_are_made(forgelab: Command) -> None:
    assert "The password is" in forgelab("user", "create", "ada").out
    assert len(forgelab("token", "create", "ada").out.split()[-1]) == 64
    assert "forgelab user create eve" in forgelab("token", "create", "eve").err
    assert "password: " in forgelab("user", "create", "eve", "--password", "short").err
