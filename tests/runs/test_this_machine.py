"""Runs on the machine that ForgeLab runs on, whole and for real: they write below a folder of the test's, no more."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml
from django.db import connection
from django.utils import timezone

from forgelab.accounts.actors import SYSTEM
from forgelab.devices import services
from forgelab.devices.access import host_of
from forgelab.devices.models import Device
from forgelab.lib.processes import marked
from forgelab.runs.execution import execute
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan, PlannedRole
from forgelab.runs.renderer import Deployment, render
from forgelab.runs.workspace import write_project
from tests.runs.local import shell

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, or sudo without a password"),
]


@pytest.fixture
def here(db: None) -> Device:
    return services.device_add(name="here", address="localhost", host_keys=[], connection="local", actor=SYSTEM)


def plan(text: str) -> Plan:
    tasks = yaml.safe_dump([shell(text, "Write")])
    role = PlannedRole("scribe", "Writing", secrets={"scribe_secret": "s3cret {{ 7*7 }}"})
    return Plan("scribe", "Provision scribe", (role,), generated_roles={"scribe": {"tasks/main.yml": tasks}})


def test_a_run_works_here_as_root_without_ssh_or_keys(here, make_run, tmp_path):
    written = tmp_path / "written"
    made = make_run(device=here, plan=plan(f"id -u >{written}; env >>{written}"))
    ended = execute(made.pk)
    assert (ended.status, ended.status_detail) == ("succeeded", "")
    told = written.read_text().splitlines()
    assert told[0] == "0"
    assert f"FORGELAB_RUN={made.pk}" in told
    assert not [line for line in told if line.startswith(("FORGELAB_ENC", "SECRET_KEY", "DATABASE_URL"))]
    assert marked(str(made.pk)) == []


def test_a_cancelled_run_leaves_nothing_here(here, make_run, tmp_path):
    made = make_run(device=here, plan=plan("setsid sh -c 'trap \"\" TERM; sleep 600; :' & sleep 600; :"))

    def cancel():
        try:
            deadline = time.monotonic() + 300
            while not any(is_sleep(pid) for pid in marked(str(made.pk))) and time.monotonic() < deadline:
                time.sleep(0.1)
            Run.objects.filter(pk=made.pk).update(cancel_requested_at=timezone.now())
        finally:
            connection.close()

    thread = threading.Thread(target=cancel)
    thread.start()
    ended = execute(made.pk)
    thread.join()
    assert (ended.status, ended.device_clean) == ("cancelled", True)
    assert marked(str(made.pk)) == []


def is_sleep(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\0")
    except OSError:
        return False


def test_the_project_that_is_taken_away_works_here_too(here, tmp_path):
    written = tmp_path / "written"
    write_project(tmp_path / "project", render([Deployment(plan(f"id -u >{written}"), host_of(here))], "password"))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "site.yml"], cwd=tmp_path / "project",
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert written.read_text() == "0\n"
