from __future__ import annotations

import json

import pytest

from forgelab.runs.changes import Change, changes_of, count, summary
from forgelab.runs.diffs import MAX_ALL, MAX_TEXT, TOO_LONG, unified
from forgelab.runs.events import HANDLER_START, TASK_START, Mask, slim
from forgelab.runs.verbose import unfolded

TITLES = {"packages": "Installing packages", "nginx": "Setting up Nginx", "redis": "Setting up Redis"}
OK, SKIPPED = "runner_on_ok", "runner_on_skipped"


def event(kind=OK, role="nginx", task="Configure nginx", changed=True, **result):
    return {"kind": kind, "role": role, "task": task, "changed": changed, "result": result}


def only(*events):
    steps = changes_of(events, TITLES)
    assert len(steps) == 1
    return steps[0]


class TestChanges:
    def test_are_listed_thing_by_thing(self):
        step = only(event(changed_files=["/a", "/b"], started_units=["nginx.service"]))
        assert step.changes == [
            Change("file", "/a"), Change("file", "/b"), Change("service to start", "nginx.service"),
        ]  # fmt: skip

    def test_of_files_have_their_diff(self):
        diff = [{"path": "/a", "text": "-x\n+y\n"}]
        assert only(event(changed_files=["/a"], diff=diff)).changes[0].diff == "-x\n+y\n"

    def test_of_packages_and_firewall_rules_too(self):
        steps = changes_of([event(role="packages", missing=["nginx"]), event(commands=["allow 80/tcp"])], TITLES)
        assert [step.changes[0].what for step in steps] == ["nginx", "allow 80/tcp"]

    def test_of_a_module_that_shows_no_more_are_the_task_itself(self):
        assert only(event(task="Make the user")).changes == [Change("task", "Make the user")]

    def test_that_are_none_are_left_out(self):
        assert changes_of([event(changed=False), event(role="unknown"), event(role="")], TITLES) == []

    def test_follow_the_order_of_the_steps(self):
        steps = changes_of([event(role="redis"), event(role="packages")], TITLES)
        assert [step.role for step in steps] == ["packages", "redis"]

    def test_list_a_service_once_whose_file_changes_anyway(self):
        assert len(only(event(changed_files=["/a"], unread_units=["nginx.service"])).changes) == 1
        assert only(event(changed_files=[], unread_units=["nginx.service"])).changes[0].what == "nginx.service"


class TestHandlers:
    def test_are_no_changes_of_their_own(self):
        step = only(event(), {**event(), "kind": HANDLER_START}, event(task="Reload nginx"))
        assert (len(step.changes), step.handlers) == (1, ["Reload nginx"])

    def test_end_with_the_next_task(self):
        step = only({**event(), "kind": HANDLER_START}, {**event(), "kind": TASK_START}, event())
        assert (len(step.changes), step.handlers) == (1, [])

    def test_that_cannot_run_in_check_mode_are_reported_once(self):
        handler = {**event(), "kind": HANDLER_START}
        command = event(SKIPPED, task="Restart", changed=False, rc=0)
        assert only(event(), handler, command, command).handlers == ["Restart"]


class TestSkipped:
    def test_command_would_run(self):
        assert only(event(SKIPPED, task="Install it", changed=False, rc=0)).changes == [Change("command", "Install it")]

    def test_command_of_the_finishing_touches_runs_every_time_and_is_no_change(self):
        touch = event(SKIPPED, role="small_post_install", changed=False, rc=0)
        assert changes_of([touch], {"small_post_install": "Finishing touches"}) == []

    @pytest.mark.parametrize("condition", ["not (ansible_check_mode and x)", "not postgresql_is_missing"])
    def test_for_what_only_a_running_service_knows_says_that_more_follows(self, condition):
        assert only(event(), event(SKIPPED, changed=False, false_condition=condition)).more

    def test_for_any_other_reason_says_nothing(self):
        assert not only(event(), event(SKIPPED, changed=False, false_condition="nginx_x")).more
        assert not only(event(), {**event(SKIPPED), "result": None}).more


def test_the_summary_is_a_sentence_part():
    one = changes_of([event()], TITLES)
    three = changes_of([event(changed_files=["/a", "/b"]), event(role="redis")], TITLES)
    assert [summary(steps) for steps in ([], one, three)] == [
        "No changes", "1 change in 1 step", "3 changes in 2 steps",
    ]  # fmt: skip
    assert count(three) == 3


class TestDiffs:
    def test_are_unified(self):
        diff = unified({"after_header": "/etc/a", "before": "1\n2\n3\n", "after": "1\ntwo\n3\n"})
        assert diff == [{"path": "/etc/a", "text": "@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"}]

    def test_of_mappings_and_prepared_ones_are_taken_too(self):
        assert '+  "state": "present"' in unified({"before": {}, "after": {"state": "present"}})[0]["text"]
        assert unified([{"prepared": "+ nginx"}])[0]["text"] == "+ nginx"

    @pytest.mark.parametrize("nonsense", [None, "text", [5, None], {}, {"before": None, "after": None}])
    def test_that_are_none_give_none(self, nonsense):
        assert unified(nonsense) == []

    def test_are_cut_within_bounds(self):
        long = {"after_header": "/a", "before": "", "after": "line\n" * 9000}
        cut = unified(long)[0]["text"]
        assert len(cut) < MAX_TEXT + 100
        assert cut.endswith("more lines)\n")
        many = unified([{**long, "after_header": f"/{n}"} for n in range(20)])
        assert sum(len(entry["text"]) for entry in many) < MAX_ALL + 20 * len(TOO_LONG)

    def test_are_masked_before_they_are_made(self):
        result = {"diff": {"after_header": "/a", "before": "", "after": "password = s3cret-token\n"}}
        kept = slim({"event": OK, "counter": 1, "event_data": {"res": result}}, Mask(["s3cret-token"]))
        assert "s3cret" not in json.dumps(kept)
        assert "+password = ********" in kept["result"]["diff"][0]["text"]

    def test_are_kept_when_the_rest_of_the_result_is_too_long(self):
        result = {"changed": True, "long": "x" * 90_000, "diff": {"before": "", "after": "new\n"}}
        kept = slim({"event": OK, "counter": 1, "event_data": {"res": result}})["result"]
        assert kept["diff"] and "long" not in kept


class TestVerbose:
    def test_output_gives_a_skipped_task_its_reason(self):
        said = '\x1b[0;36mskipping: [web] => {"changed": false, "false_condition": "x"}\x1b[0m\r'
        told = {"event": SKIPPED, "event_data": {"host": "web"}, "stdout": said}
        quiet = unfolded(told)
        assert quiet["event_data"]["res"] == {"changed": False, "false_condition": "x"}
        assert quiet["stdout"] == "\x1b[0;36mskipping: [web]\x1b[0m\r"

    def test_output_of_others_is_as_short_as_without(self):
        told = {"event": OK, "event_data": {"res": {"a": 1}}, "stdout": 'changed: [web] => {"a": {"b": "} x"}}'}
        assert unfolded(told) == {**told, "stdout": "changed: [web]"}

    @pytest.mark.parametrize("stdout", ["", "skipping: [web]", "skipping: [web] => {broken}", "TASK [x => {}] ***"])
    def test_nonsense_is_no_reason(self, stdout):
        assert not (unfolded({"event": SKIPPED, "event_data": {}, "stdout": stdout})["event_data"].get("res"))


def test_the_start_of_a_handler_is_distinguished_from_that_of_a_task():
    start = {"event": TASK_START, "counter": 1, "event_data": {"is_conditional": True}}
    assert slim(start)["kind"] == HANDLER_START
    assert slim({**start, "event_data": {"is_conditional": False}})["kind"] == TASK_START
