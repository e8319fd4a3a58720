from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.lab.guest import guest_files, host_keys, write_disk
from forgelab.lab.registries import Registries
from forgelab.lab.site import Site

SITE = Site(Path("/lab"), "10.78.0", "flbr0", Path("/lab/images"))


@pytest.fixture
def files():
    registries = Registries(
        pip_index="https://pip.example/simple",
        pip_extra=["https://one.example/simple", "https://two.example/simple"],
        npm="https://npm.example/",
    )
    return guest_files("web1", "10.78.0.10", SITE, registries, "ssh-ed25519 AAAA lab\n")


def test_apt_goes_through_the_proxy_and_straight_to_the_bridge(files):
    text = files["etc/apt/apt.conf.d/90forgelab-lab"].text
    assert 'Acquire::http::Proxy "http://10.78.0.1:3128";' in text
    assert 'Acquire::http::Proxy::10.78.0.1 "DIRECT";' in text


def test_pip_finds_proxy_and_indices_in_its_own_file(files):
    assert files["etc/pip.conf"].text.splitlines() == [
        "[global]",
        "proxy = http://10.78.0.1:3128",
        "cert = /etc/ssl/certs/ca-certificates.crt",
        "disable-pip-version-check = true",
        "index-url = https://pip.example/simple",
        "extra-index-url = https://one.example/simple",
        "    https://two.example/simple",
    ]


def test_npm_finds_proxy_and_registry_wherever_its_packager_looks(files):
    for name in ("etc/npmrc", "usr/etc/npmrc", "usr/local/etc/npmrc"):
        lines = files[name].text.splitlines()
        assert "registry=https://npm.example/" in lines
        assert "https-proxy=http://10.78.0.1:3128" in lines


def test_no_program_is_sent_to_the_proxy_by_the_environment(files):
    assert "proxy" not in files["etc/environment"].text


def test_the_device_knows_its_own_name(files):
    assert files["etc/hostname"].text == "web1\n"
    assert "10.78.0.10 web1.lab.test web1\n" in files["etc/hosts"].text


def test_root_and_the_sudo_user_accept_the_labs_key(files):
    for name in ("root/.ssh/authorized_keys", "home/homelab/.ssh/authorized_keys"):
        assert (files[name].text, files[name].mode) == ("ssh-ed25519 AAAA lab\n", 0o600)


def test_every_device_is_another_machine(files):
    other = guest_files("web2", "10.78.0.11", SITE, Registries(), "key\n")
    assert files["etc/machine-id"].text != other["etc/machine-id"].text


def test_a_written_disk_repeats_the_images_folders_and_has_host_keys(tmp_path, files):
    disk, image = tmp_path / "disk", tmp_path / "image"
    disk.mkdir()
    (image / "root").mkdir(parents=True)
    (image / "root").chmod(0o700)
    write_disk(disk, image, files, "root@web1")
    assert (disk / "root").stat().st_mode & 0o777 == 0o700
    assert (disk / "root/.ssh").stat().st_mode & 0o777 == 0o700
    assert (disk / "etc/ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600
    lines = host_keys(disk, "10.78.0.10")
    assert [line.split()[:2] for line in lines] == [
        ["10.78.0.10", "ssh-ed25519"],
        ["10.78.0.10", "ecdsa-sha2-nistp256"],
    ]
