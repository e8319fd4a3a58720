from __future__ import annotations

import os
import subprocess
import sys

import pytest

from forgelab.lab import cli
from forgelab.lab.processes import PACKAGE_ROOT


@pytest.fixture(autouse=True)
def empty_lab(monkeypatch, tmp_path):
    monkeypatch.setenv("FORGELAB_LAB_DIR", str(tmp_path / "lab"))
    monkeypatch.setenv("FORGELAB_LAB_BRIDGE", "fltest9")
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_an_empty_lab_says_how_to_make_a_device(capsys):
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out == "No devices. Make one: forgelab lab up web1\n"


def test_without_snapshots_it_says_how_to_make_one(capsys):
    assert cli.main(["snapshots"]) == 0
    assert capsys.readouterr().out == "No snapshots. Make one: forgelab lab snapshot NAME AS\n"


def test_a_snapshot_that_does_not_exist_is_named(capsys):
    assert cli.main(["snapshots", "--remove", "ghost"]) == 1
    assert capsys.readouterr().err == "There is no snapshot ghost; `forgelab lab snapshots` lists them.\n"


def test_a_snapshot_and_an_image_exclude_each_other(capsys):
    assert cli.main(["up", "try", "--from", "kept", "--image", "trixie"]) == 1
    assert "the snapshot kept stands on an image already" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["kill", "cut", "heal", "reboot", "stop", "start", "rm", "ssh", "exec"])
def test_a_device_that_does_not_exist_is_named(verb, capsys):
    assert cli.main([verb, "ghost"]) == 1
    assert capsys.readouterr().err == "There is no device ghost; `forgelab lab status` lists them.\n"


def test_bad_options_are_refused_before_anything_is_built(capsys, tmp_path):
    assert cli.main(["up", "web1", "--memory", "lots"]) == 1
    assert capsys.readouterr().err.startswith("memory: 'lots' is not a size")
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize("name", ["Web1", "-x", "a_b", "../x", "a" * 40, "web1;id"])
def test_a_name_that_is_no_host_name_is_refused(name, capsys):
    assert cli.main(["up", "--", name]) == 1
    assert capsys.readouterr().err.startswith("name: ")


def test_the_doctor_says_where_the_lab_is(capsys, tmp_path):
    cli.main(["doctor"])
    out = capsys.readouterr().out
    assert f"network  10.78.0.0/24 on fltest9, down\nimages   none yet in {tmp_path}/lab/images" in out


def test_somebody_who_is_not_root_gets_an_error(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert cli.main(["status"]) == 1
    assert "it needs root: run the same command with sudo." in capsys.readouterr().err


def test_it_runs_without_django():
    code = "import sys, forgelab.lab.cli; sys.exit('django' in sys.modules or 'celery' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PACKAGE_ROOT).returncode == 0
