from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time

from cryptography.fernet import Fernet

from forgelab.lib.instance import KEYS_FILE, default_data_dir, load_or_create_keys

LOAD = """
import json, sys, time
from pathlib import Path
from forgelab.lib.instance import load_or_create_keys
while time.time() < float(sys.argv[2]): pass
print(json.dumps(load_or_create_keys(Path(sys.argv[1]))))
"""


def test_the_first_start_makes_keys_only_the_owner_can_read(tmp_path):
    keys = load_or_create_keys(tmp_path / "data")
    assert len(keys["SECRET_KEY"]) >= 50
    Fernet(keys["FORGELAB_ENCRYPTION_KEYS"])
    assert stat.S_IMODE((tmp_path / "data" / KEYS_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_every_later_start_has_the_same_keys(tmp_path):
    assert load_or_create_keys(tmp_path) == load_or_create_keys(tmp_path)


def test_processes_that_start_together_agree_on_one_key(tmp_path):
    at = str(time.time() + 1)
    started = [
        subprocess.Popen([sys.executable, "-c", LOAD, str(tmp_path), at], stdout=subprocess.PIPE) for _ in range(4)
    ]
    answers = [json.loads(process.communicate(timeout=30)[0]) for process in started]
    assert all(answer == load_or_create_keys(tmp_path) for answer in answers)
    assert [path.name for path in tmp_path.iterdir()] == [KEYS_FILE]


def test_a_file_that_a_killed_start_left_under_the_same_pid_does_not_matter(tmp_path):
    (tmp_path / f".{KEYS_FILE}.{os.getpid()}").touch()
    assert load_or_create_keys(tmp_path)["SECRET_KEY"]


def test_another_process_may_win_between_looking_and_making(tmp_path, monkeypatch):
    theirs = load_or_create_keys(tmp_path)
    monkeypatch.setattr("pathlib.Path.exists", lambda self: False)
    assert load_or_create_keys(tmp_path) == theirs


def test_the_data_folder_is_where_xdg_has_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / "forgelab"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert str(default_data_dir()) == "/home/somebody/.local/share/forgelab"
