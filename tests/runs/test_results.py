from __future__ import annotations

import pytest

from forgelab.runs.results import RunResult, RunSummary, joined

RECAP = {"ok": {"web": 3}, "failures": {}, "dark": {}}


def seen(*results, failure=""):
    gathered = RunSummary(failure=failure)
    for result in results:
        gathered.take({"kind": "runner_on_ok", "result": result})
    return gathered


def ended(failure="", **recap):
    gathered = RunSummary(failure=failure)
    gathered.take({"kind": "playbook_on_stats", "result": RECAP | recap})
    return gathered.result("web")


def test_success_is_a_recap_without_failures():
    assert ended() == RunResult("succeeded")


@pytest.mark.parametrize(
    ("recap", "failure", "result"),
    [
        ({"failures": {"web": 1}}, "Install: no", RunResult("failed", "Install: no")),
        ({"failures": {"web": 1}}, "", RunResult("failed", "A task failed; the log shows which.")),
        ({"dark": {"web": 1}}, "", RunResult("failed", "web could not be reached.", device_clean=False)),
        ({"dark": {"web": 1}, "failures": {"web": 1}}, "gone", RunResult("failed", "gone", device_clean=False)),
        ({"ok": {}}, "", RunResult("failed", "No task ran on web: the playbook matched no host.")),
    ],
)
def test_what_the_recap_says_is_how_it_ended(recap, failure, result):
    assert ended(failure, **recap) == result


def test_without_a_recap_it_failed_and_something_may_still_run():
    assert RunSummary().result("web").detail.startswith("ansible-playbook ended without a play recap")
    assert RunSummary(failure="Install: no").result("web") == RunResult("failed", "Install: no", device_clean=False)


def test_what_roles_report_is_learned_and_the_last_word_counts():
    assert seen({"forgelab": {"a": 1}}, None, {"forgelab": {"a": 2, "b": 3}}).learned == {"a": 2, "b": 3}


@pytest.mark.parametrize("told", ["text", 5, ["a"], None])
def test_a_device_that_shows_nonsense_teaches_nothing(told):
    assert seen({"forgelab": told}).learned == {}


def test_what_roles_manage_is_gathered_role_by_role():
    gathered = RunSummary()
    for role, managed in (
        ("nginx", {"files": ["/a"]}),
        ("php", {"units": ["fpm"]}),
        ("nginx", {"files": ["/a", "/b"]}),
    ):
        gathered.take({"kind": "runner_on_ok", "role": role, "result": {"managed": managed}})
    assert gathered.learned == {"managed": {"nginx": {"files": ["/a", "/b"]}, "php": {"units": ["fpm"]}}}


@pytest.mark.parametrize(("known", "more"), [(None, "x"), ({"files": 5}, {"units": [1, None]}), ([], {})])
def test_nonsense_is_managed_by_nobody(known, more):
    assert not any(joined(known, more).values())
