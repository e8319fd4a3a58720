from __future__ import annotations

import os
import platform
import shutil

import pytest

from forgelab.lab import LabUnavailable, requirements


@pytest.fixture
def able_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "release", lambda: "6.1.0-20-amd64")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda command: f"/usr/bin/{command}")
    (tmp_path / "cgroup.procs").touch()
    (tmp_path / "keyring").touch()
    monkeypatch.setattr(requirements, "CGROUP", tmp_path)
    monkeypatch.setattr(requirements, "DEBIAN_KEYRING", tmp_path / "keyring")
    monkeypatch.setattr(requirements, "FUSE", tmp_path)
    return tmp_path


def problem() -> str:
    with pytest.raises(LabUnavailable) as caught:
        requirements.check()
    return str(caught.value)


def test_it_is_content_with_a_machine_that_has_everything(able_machine):
    requirements.check()


def test_it_says_that_only_linux_will_do_and_nothing_else(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert problem() == "The lab cannot run on this machine:\n- it needs Linux, and this is Darwin."


def test_it_names_every_missing_package_and_the_command_that_installs_them(able_machine, monkeypatch):
    there = {"ip", "ssh", "ssh-keygen", "nsenter", "unshare", "mount", "nft"}
    monkeypatch.setattr(shutil, "which", lambda command: command if command in there else None)
    assert problem().splitlines()[1:] == [
        "- missing packages lxcfs, mmdebstrap, systemd-container: "
        "run `apt-get install -y --no-install-recommends lxcfs mmdebstrap systemd-container`."
    ]


def test_it_misses_the_keyring_that_images_are_checked_with(able_machine, monkeypatch):
    (able_machine / "keyring").unlink()
    assert "missing package debian-archive-keyring" in problem()


def test_it_names_everything_that_is_missing_at_once(able_machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(platform, "release", lambda: "5.10.0-28-amd64")
    monkeypatch.setattr(requirements, "FUSE", able_machine / "absent")
    text = problem()
    assert "it needs root: run the same command with sudo." in text
    assert "it needs Linux 5.14 or later, and this is 5.10.0-28-amd64." in text
    assert "run `modprobe fuse`" in text


def test_it_knows_a_container_that_may_not_make_control_groups(able_machine):
    (able_machine / "cgroup.procs").unlink()
    assert "start that container with --privileged" in problem()


def test_it_refuses_somebody_who_is_not_root_before_listing_nothing(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabUnavailable, match="it needs root"):
        requirements.check_root()
