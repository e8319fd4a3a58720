"""`make demo` as a newcomer runs it: once, once more, and away again; in a lab of its own beside the other tests'."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from forgelab.lab import Lab
from tests.support.stack import FORGELAB, ROOT

pytestmark = pytest.mark.lab

BRIDGE = "flbrdemo"


@pytest.fixture(scope="module")
def demo(lab: Lab, tmp_path_factory: pytest.TempPathFactory):
    """Run `forgelab demo` with these arguments and return what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "lab").mkdir()
    for kept in ("images", "cache"):  # so that nothing is built or downloaded twice
        (lab.site.dir / kept).mkdir(exist_ok=True)
        (folder / "lab" / kept).symlink_to(lab.site.dir / kept)
    environment = {
        **os.environ,
        "FORGELAB_DATA_DIR": str(folder / "data"),
        "FORGELAB_RUNS_DIR": f"/dev/shm/forgelab-demo-{os.getpid()}",
        "FORGELAB_LAB_DIR": str(folder / "lab"),
        "FORGELAB_LAB_NET": "10.79.198",
        "FORGELAB_LAB_BRIDGE": BRIDGE,
        "COLUMNS": "200",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*FORGELAB, "demo", *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield run
    run("--stop")
    subprocess.run(["ip", "route", "del", "unreachable", "10.79.198.0/24"], capture_output=True)
    shutil.rmtree(environment["FORGELAB_RUNS_DIR"], ignore_errors=True)


def test_it_provisions_the_best_device_and_proves_that_it_works(demo) -> None:
    said = demo()
    assert "Provisioning laravel-production on homelab-server-02" in said
    for proved in ("nginx serves", "PHP 8.2", "PostgreSQL 15", "Redis 7", "Supervisor: active", "Cron: active"):
        assert f"✔ {proved}" in said


def test_again_it_changes_nothing(demo) -> None:
    said = demo()
    assert "Nothing to change" in said
    assert "✔ nginx serves" in said


def test_it_stops_without_leaving_anything(demo) -> None:
    said = demo("--stop")
    assert "Removed homelab-server-02." in said
    assert not Path(f"/sys/class/net/{BRIDGE}").exists()
    assert BRIDGE not in Path("/proc/self/mountinfo").read_text()
