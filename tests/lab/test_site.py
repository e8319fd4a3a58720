from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from forgelab.lab.errors import LabError
from forgelab.lab.site import Site, free_number


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("FORGELAB_LAB_DIR", "FORGELAB_LAB_NET", "FORGELAB_LAB_BRIDGE"):
        monkeypatch.delenv(name, raising=False)


def test_it_has_a_place_when_nothing_is_said():
    site = Site.choose()
    assert (str(site.dir), site.gateway, site.bridge) == ("/var/lib/forgelab-lab", "10.78.0.1", "flbr0")
    assert site.images == site.dir / "images"


def test_it_takes_its_place_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("FORGELAB_LAB_DIR", str(tmp_path))
    monkeypatch.setenv("FORGELAB_LAB_NET", "10.9.8")
    monkeypatch.setenv("FORGELAB_LAB_BRIDGE", "br9")
    site = Site.choose()
    assert (site.dir, site.address(12), site.bridge) == (tmp_path, "10.9.8.12", "br9")


def test_its_ipv6_network_is_a_local_one_of_its_own(tmp_path):
    site = Site.choose(dir=tmp_path, net="10.78.0")
    assert (site.net6, site.address6(12)) == ("fd66:6c0a:4e00::/64", "fd66:6c0a:4e00::12")
    assert ipaddress.IPv6Address(site.address6(249)) in ipaddress.IPv6Network(site.net6)
    assert Site.choose(dir=tmp_path, net="10.78.1").net6 != site.net6
    assert site.mac(12) == "02:66:0a:4e:00:0c"


def test_arguments_win_over_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("FORGELAB_LAB_NET", "10.9.8")
    assert Site.choose(dir=tmp_path, net="10.1.2").net == "10.1.2"


def test_a_lab_that_is_up_needs_no_settings_to_be_found_again(tmp_path):
    Site.choose(dir=tmp_path, net="10.9.8", bridge="br9", images=tmp_path / "elsewhere").record()
    assert Site.choose(dir=tmp_path) == Site(tmp_path, "10.9.8", "br9", tmp_path / "elsewhere")


def test_it_refuses_another_network_for_a_lab_that_is_up(tmp_path):
    Site.choose(dir=tmp_path, net="10.9.8").record()
    with pytest.raises(LabError, match=r"is up with network 10\.9\.8 and bridge flbr0, not 10\.1\.2"):
        Site.choose(dir=tmp_path, net="10.1.2")


def test_only_root_may_enter_its_folder(tmp_path):
    Site.choose(dir=tmp_path / "lab").record()
    assert (tmp_path / "lab").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("net", ["10.78", "10.78.0.0", "10.78.300", "lan"])
def test_it_refuses_what_is_no_network(net):
    with pytest.raises(LabError, match=r"^net: .* three numbers such as 10\.78\.0"):
        Site.choose(dir=Path("/nowhere"), net=net)


@pytest.mark.parametrize("bridge", ["-x", "br 0", "averylongbridge", "Br0"])
def test_it_refuses_a_bridge_name_the_kernel_would_not_take(bridge):
    with pytest.raises(LabError, match=r"^bridge: "):
        Site.choose(dir=Path("/nowhere"), bridge=bridge)


def test_every_network_has_its_own_routing_table():
    tables = {Site.choose(dir=Path("/nowhere"), net=net).routing_table for net in ("10.78.0", "10.78.1", "10.79.0")}
    assert len(tables) == 3
    assert all(int(table) > 255 for table in tables)


def test_it_gives_out_the_lowest_free_address():
    assert free_number([]) == 10
    assert free_number([10, 11, 13]) == 12


def test_it_says_when_the_lab_is_full():
    with pytest.raises(LabError, match="The lab is full"):
        free_number(range(10, 250))
