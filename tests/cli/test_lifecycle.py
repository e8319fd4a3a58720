"""`forgelab server plan`, `set`, `drift` and `decommission`."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from forgelab.accounts.actors import SYSTEM
from forgelab.cli import follow
from forgelab.runs import claims, selectors
from forgelab.runs.models import Event, Run
from forgelab.runs.results import RunResult
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from tests import factories
from tests.cli.commands import Command


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is there, and nobody has to wait for one."""
    monkeypatch.setattr(follow, "check_worker", lambda run_id: None)
    monkeypatch.setattr(follow, "INTERVAL", 0)


@pytest.fixture
def server(db: None) -> Server:
    services.server_provision(
        server_type=factories.SMALL,
        name="web",
        device=factories.device("big"),
        config={"php_version": "8.2"},
        actor=SYSTEM,
    )
    ended(Run.objects.get())
    return Server.objects.get()


def ended(run: Run, status: str = "succeeded", detail: str = "") -> None:
    claimed = claims.claim(run.pk)
    assert claimed
    claims.end(claimed, RunResult(status, detail), outcome={"managed": {"redis": {"units": ["redis.service"]}}})


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch):
    """Every run ends so as soon as it is looked at, having found these files changed."""
    original = selectors.run_snapshot

    def ends(status: str = "succeeded", *files: str, detail: str = "") -> None:
        def run_snapshot(*, run_id: object) -> dict:
            run = Run.objects.get(pk=str(run_id))
            if run.status == "queued":
                for counter, path in enumerate(files, start=1):
                    Event.objects.create(
                        run=run, counter=counter, kind="runner_on_ok", role="nginx", task="Configure", changed=True,
                        result={"changed_files": [path], "diff": [{"path": path, "text": "+new\n" * 40}]},
                        created_at=timezone.now(),
                    )  # fmt: skip
                ended(run, status, detail)
            return original(run_id=run_id)

        monkeypatch.setattr(selectors, "run_snapshot", run_snapshot)

    return ends


def test_a_plan_shows_its_changes_and_how_to_apply_them(forgelab: Command, server: Server, ends) -> None:
    ends("succeeded", "/etc/a")
    done = forgelab("server", "plan", "web", "--set", "php_version=8.3")

    assert done.status == 0, done.err
    for words in (
        "Option php_version: 8.2 -> 8.3", "file: /etc/a", "    +new", "(10 more lines", "1 change in 1 step.",
        "forgelab server change web php_version=8.3",
    ):  # fmt: skip
        assert words in done.out
    assert Server.objects.get().config == server.config


def test_a_plan_is_json_alone_when_asked(forgelab: Command, server: Server, ends) -> None:
    ends("succeeded", "/etc/a")
    data = json.loads(forgelab("server", "plan", "web", "--json").out)
    assert (data["plan"]["count"], data["run"]["kind"]) == (1, "server.plan")


def test_a_plan_that_could_not_be_made_is_a_failure(forgelab: Command, server: Server, ends) -> None:
    ends("failed", detail="php8.3-fpm has no candidate")
    done = forgelab("server", "plan", "web")
    assert done.status == 1
    assert "php8.3-fpm has no candidate" in done.err


def test_set_changes_only_what_is_named(forgelab: Command, server: Server, ends) -> None:
    ends()
    done = forgelab("server", "change", "web", "php_workers=7", "include_redis=no")
    assert done.status == 0, done.err
    config = Server.objects.get().config
    assert (config["php_workers"], config["include_redis"], config["php_version"]) == (7, False, "8.2")


def test_provisioning_again_keeps_the_options_that_are_not_named(forgelab: Command, server: Server, ends) -> None:
    ends()
    forgelab("server", "provision", factories.SMALL, "--name", "web", "--set", "php_workers=9")
    config = Server.objects.get().config
    assert (config["php_workers"], config["php_version"]) == (9, "8.2")


@pytest.mark.parametrize(
    ("pair", "words"), [("php_version=7.4", "config.php_version"), ("php_version", "OPTION=VALUE")]
)
def test_a_wrong_option_is_reported(forgelab: Command, server: Server, pair: str, words: str) -> None:
    done = forgelab("server", "change", "web", pair)
    assert done.status in (1, 2)
    assert words in done.err
    assert Run.objects.count() == 1


def test_drift_says_which_and_ends_with_1(forgelab: Command, server: Server, ends) -> None:
    ends("succeeded", "/etc/a")
    done = forgelab("server", "drift-check", "web")
    assert done.status == 1
    assert "file: /etc/a" in done.out and "1 difference from its plan" in done.out
    assert "1 difference" in forgelab("server", "list").out
    assert "Reprovision it to repair them" in forgelab("server", "show", "web").out


def test_without_drift_it_ends_with_0(forgelab: Command, server: Server, ends) -> None:
    ends()
    done = forgelab("server", "drift-check", "web")
    assert (done.status, "As planned" in done.out) == (0, True)


def test_the_daily_look_is_turned_off(forgelab: Command, server: Server) -> None:
    assert "only when you ask" in forgelab("server", "drift-check", "web", "--daily", "off").out
    assert not Server.objects.get().drift_watch
    assert Run.objects.count() == 1


def test_a_server_is_decommissioned_by_its_typed_name(forgelab: Command, server: Server, ends) -> None:
    ends()
    refused = forgelab("server", "decommission", "web")
    assert refused.status == 1 and "Type the server's name, web" in refused.err
    done = forgelab("server", "decommission", "web", "--confirm", "web")
    assert done.status == 0, done.err
    assert "big is free for another server" in done.out
    assert not Server.objects.exists()


def test_a_failed_decommission_is_a_failure(forgelab: Command, server: Server, ends) -> None:
    ends("failed", detail="big could not be reached")
    done = forgelab("server", "decommission", "web", "--confirm", "web")
    assert (done.status, Server.objects.get().status) == (1, "failed")


def test_a_server_is_forgotten_with_a_warning(forgelab: Command, server: Server) -> None:
    assert forgelab("server", "decommission", "web", "--forget").status == 1
    done = forgelab("server", "decommission", "web", "--forget", "--confirm", "web")
    assert "Nothing on big was touched" in done.out and "go on running" in done.out
    assert not Server.objects.exists()
