from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgelab.runs.events import MAX_RESULT, MAX_STDOUT, Mask, clean, is_failure, slim


def event(kind="runner_on_ok", **data):
    return {"event": kind, "counter": 7, "created": "2026-01-01T00:00:00.5+00:00", "pid": 1, "stdout": "ok",
            "event_data": {"role": "nginx", "task": "Install", "host": "web", "duration": 0.5, **data}}  # fmt: skip


def test_of_an_event_only_what_is_needed_is_kept():
    kept = slim(event(res={"changed": True, "invocation": {"x": 1}, "_ansible_no_log": False, "msg": "done"}))
    assert kept == {
        "counter": 7, "kind": "runner_on_ok", "created": "2026-01-01T00:00:00.5+00:00", "pid": 1, "role": "nginx",
        "task": "Install", "host": "web", "seconds": 0.5, "ignored": False, "stdout": "ok",
        "result": {"changed": True, "msg": "done"},
    }  # fmt: skip


def test_of_a_long_result_the_messages_are_kept():
    long = {"msg": "m" * 90_000, "changed": True, "results": ["x" * 90_000], "forgelab": {"versions": [1]}, "rc": 3}
    kept = slim(event(res=long))["result"]
    assert (kept["changed"], kept["rc"], kept["forgelab"]) == (True, 3, {"versions": [1]})
    assert kept["msg"] == "m" * (MAX_RESULT // 8)
    assert "results" not in kept


def test_nothing_a_device_says_is_kept_without_bounds():
    huge = {"a": ["x" * 50] * 10_000}
    kept = slim(event(res={"forgelab": huge, "ansible_facts": huge, "stdout": [huge], "msg": huge}))
    assert len(json.dumps(kept)) < 5 * MAX_RESULT
    assert len(slim({**event(), "stdout": "y" * 90_000})["stdout"]) == MAX_STDOUT
    names = slim(event("k" * 99, role="r" * 99, task="t" * 999, host="h" * 99))
    assert [len(names[name]) for name in ("kind", "role", "task", "host")] == [48, 64, 200, 63]


def test_what_no_database_takes_is_replaced():
    kept = slim(
        event(res={"msg": "a\x00b\ud800", "\x00k": math.nan, "more": [math.inf, {"x": b"bytes"}]}, task="t\x00")
    )
    assert kept["task"] == "t"
    assert kept["result"] == {"msg": "ab?", "k": "nan", "more": ["inf", {"x": "b'bytes'"}]}


def test_a_result_that_is_nested_without_end_is_cut():
    value: object = "end"
    for _ in range(500):
        value = [value]
    assert len(json.dumps(slim(event(res={"deep": value}))["result"])) < 2000


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.floats() | st.text() | st.integers(), st.lists)))
def test_every_result_can_be_stored(result):
    kept = slim(event(res=result))["result"]
    text = json.dumps(kept, allow_nan=False)
    assert "\\u0000" not in text
    assert clean(str(kept)) == str(kept)


def test_the_recap_is_kept_as_the_result():
    kept = slim(event("playbook_on_stats", ok={"web": 3}, failures={"web": 1}, res=None))
    assert kept["result"] == {"ok": {"web": 3}, "failures": {"web": 1}, "changed": {}, "dark": {}} | {
        "skipped": {},
        "rescued": {},
    }


@pytest.mark.parametrize(
    ("kind", "ignored", "failure"),
    [("runner_on_failed", False, True), ("runner_on_failed", True, False), ("runner_on_unreachable", False, True),
     ("runner_on_async_failed", False, True), ("runner_on_ok", False, False), ("runner_item_on_failed", False, False)],
)  # fmt: skip
def test_a_failure_is_recognised_by_the_events_name(kind, ignored, failure):
    assert is_failure(slim(event(kind, ignore_errors=ignored))) is failure


class TestMask:
    def test_a_secret_is_replaced_everywhere(self):
        said = event(
            res={"msg": "pw hunter22!", "list": ["hunter22!"], "hunter22!": {"x": "ahunter22!b"}}, task="hunter22!"
        )
        kept = slim({**said, "stdout": "say hunter22!"}, Mask(["hunter22!"]))
        assert "hunter22" not in json.dumps(kept)
        assert kept["stdout"] == "say ********"

    @pytest.mark.parametrize(
        "secret", ["counter", "runner_on_ok", "123456", "null, ", "changed", '"result": ', "2026-01"]
    )
    def test_a_secret_that_looks_like_an_event_does_not_break_it(self, secret):
        kept = slim({**event(res={"changed": True}), "counter": 123456}, Mask([secret]))
        assert (kept["counter"], kept["kind"], kept["created"][:4]) == (123456, "runner_on_ok", "2026")
        assert len(kept["result"]) == 1

    def test_a_secret_is_found_in_its_json_spelling(self):
        secret = 'quo"te\\slash\nline ü'
        printed = json.dumps({"msg": f"{secret}!"})
        assert Mask([secret]).text(printed) == '{"msg": "********!"}'
        assert Mask([secret]).text(json.dumps({"msg": secret}, ensure_ascii=False)) == '{"msg": "********"}'

    def test_every_line_of_a_secret_of_many_lines_is_replaced(self):
        key = "-----BEGIN KEY-----\nabcdefghijklmnop\nqrstuvwxyzabcdef\n-----END KEY-----\n"
        assert Mask([key]).text("x abcdefghijklmnop\r\n  qrstuvwxyzabcdef") == "x ********\r\n  ********"

    def test_half_a_secret_is_not_left_where_output_is_cut(self):
        secret = "S" * 40
        kept = slim({**event(), "stdout": secret + "." * (MAX_STDOUT - 20)}, Mask([secret]))
        assert "S" not in kept["stdout"]

    def test_the_longer_of_two_secrets_is_replaced_whole(self):
        assert Mask(["secret1", "secret1-and-more"]).text("secret1-and-more secret1") == "******** ********"

    def test_short_secrets_do_not_blacken_ordinary_text(self):
        assert Mask(["ok", "", "12345"]).text("ok 12345") == "ok 12345"
