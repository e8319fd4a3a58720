from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.lab.guest import guest_files, host_keys, renamed, write_disk, write_identity
from forgelab.lab.layers import Layers
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
    write_disk(Layers([disk, image]), files, "root@web1")
    assert (disk / "root").stat().st_mode & 0o777 == 0o700
    assert (disk / "root/.ssh").stat().st_mode & 0o777 == 0o700
    assert (disk / "etc/ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600
    lines = host_keys(Layers([disk, image]), "10.78.0.10")
    assert [line.split()[:2] for line in lines] == [
        ["10.78.0.10", "ssh-ed25519"],
        ["10.78.0.10", "ecdsa-sha2-nistp256"],
    ]


def test_a_copy_gets_an_identity_of_its_own_and_keeps_everything_else(tmp_path, files):
    image, kept, copy = (tmp_path / name for name in ("image", "kept", "copy"))
    for folder in (image, kept, copy):
        folder.mkdir()
    below = Layers([kept, image])
    write_disk(below, files, "root@web1")
    below.write("root/.ssh/authorized_keys", "ssh-ed25519 BBBB forgelab\n", 0o600)
    below.write("var/lib/systemd/random-seed", "seed")
    below.write("var/lib/dhcp/dhclient.leases", "lease")
    below.write("var/lib/dbus/machine-id", "id")
    disk = Layers([copy, kept, image])

    write_identity(disk, "try", "10.78.0.11", ("web1", "10.78.0.10"), "ssh-ed25519 AAAA lab\n")

    for name in ("etc/hostname", "etc/machine-id", "etc/ssh/ssh_host_ed25519_key", "etc/ssh/ssh_host_ecdsa_key"):
        assert disk.read(name)
        assert disk.read(name) != below.read(name)
    assert disk.read("etc/hosts") == ("127.0.0.1 localhost\n10.78.0.11 try.lab.test try\n10.78.0.1 lab-gateway\n")
    assert disk.read("root/.ssh/authorized_keys") == "ssh-ed25519 BBBB forgelab\nssh-ed25519 AAAA lab\n"
    assert disk.read("home/homelab/.ssh/authorized_keys") == "ssh-ed25519 AAAA lab\n"
    for name in ("var/lib/systemd/random-seed", "var/lib/dhcp/dhclient.leases", "var/lib/dbus/machine-id"):
        assert disk.find(name) is None
    assert disk.read("etc/pip.conf") == below.read("etc/pip.conf")


def test_only_the_devices_own_name_and_address_are_replaced_in_its_hosts():
    hosts = "10.78.0.1 gate\n10.78.0.12 shop.lab.test shop\n10.78.0.120 shop-db my-shop.test a.shop\n"
    assert renamed(hosts, {"shop": "try", "10.78.0.12": "10.78.0.13"}) == (
        "10.78.0.1 gate\n10.78.0.13 try.lab.test try\n10.78.0.120 shop-db my-shop.test a.shop\n"
    )
