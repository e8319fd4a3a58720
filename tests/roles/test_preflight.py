from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from tests.roles.helpers import load_plugin

OLDEST = {"debian": "12", "ubuntu": "22.04"}
KNOWN = ["php8.2-fpm", "php8.2-cli", "php8.4-fpm", "php-fpm", "postgresql-17", "postgresql-client-17", "nginx"]


@pytest.fixture
def device() -> ModuleType:
    return load_plugin("module_utils.device")


@pytest.fixture
def apt() -> ModuleType:
    return load_plugin("module_utils.apt")


@pytest.fixture
def ports() -> ModuleType:
    return load_plugin("module_utils.ports")


@pytest.mark.parametrize(
    ("release", "debian_version", "supported"),
    [
        ("ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm", "12.7", True),
        ("ID=debian\nVERSION_ID=13\nVERSION_CODENAME=trixie", "13.1", True),
        ("ID=debian\nVERSION_CODENAME=forky", "forky/sid", True),
        ("ID=debian\nVERSION_ID=11\nVERSION_CODENAME=bullseye", "11.9", False),
        ("ID=raspbian\nID_LIKE=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm", "12.7", True),
        ("ID=raspbian\nID_LIKE=debian\nVERSION_ID=10\nVERSION_CODENAME=buster", "10.13", False),
        ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy', "bookworm/sid", True),
        ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"', "trixie/sid", True),
        ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"', "bullseye/sid", False),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="21.3"\nUBUNTU_CODENAME=jammy', "bookworm/sid", True),
        ("ID=fedora\nVERSION_ID=41", "", False),
        ("", "", False),
    ],
)
def test_it_knows_which_distributions_are_supported(
    device: ModuleType, release: str, debian_version: str, supported: bool
) -> None:
    problem = device.distribution_problem(device.parse_os_release(release), debian_version, OLDEST)
    assert (problem is None) is supported, problem


def test_memory_and_the_default_interface_are_read_from_proc(device: ModuleType) -> None:
    assert device.parse_meminfo("MemTotal:  2097152 kB\nMemAvailable: 1048576 kB\n")["MemTotal"] == 2048
    routes = (
        "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
        "wlan0 00000000 0100000A 0003 0 0 600 00000000 0 0 0\n"
        "eth0 00000000 0100000A 0003 0 0 100 00000000 0 0 0\n"
        "eth0 0000000A 00000000 0001 0 0 100 00FFFFFF 0 0 0\n"
    )
    assert device.parse_default_interface(routes) == "eth0"
    assert device.parse_default_interface("Iface\n") is None


def test_this_machines_facts_have_ansibles_names(device: ModuleType) -> None:
    facts = device.standard_facts(device.device_facts())
    assert facts["memtotal_mb"] > 0
    assert facts["processor_vcpus"] > 0
    assert facts["os_family"] == "Debian"


def test_memory_that_is_promised_to_others_is_not_shown(device: ModuleType) -> None:
    facts = {**device.device_facts(), "memory_total_mb": 4096}
    seen = [device.standard_facts(facts, reserved_mb=mb)["memtotal_mb"] for mb in (0, 1024, 4000, 9000)]
    assert seen == [4096, 3072, 256, 256]
    assert device.standard_facts({**facts, "memory_total_mb": 128}, reserved_mb=64)["memtotal_mb"] == 128


def test_it_offers_the_version_that_the_device_has(apt: ModuleType) -> None:
    missing = ["php8.3-fpm", "php8.3-cli"]
    assert apt.missing_problems(missing, KNOWN, "Debian 12 (bookworm)") == [
        (
            "php8.3-fpm, php8.3-cli have no installation candidate on Debian 12 (bookworm): this device offers PHP 8.2",
            "Choose PHP 8.2, or add the vendor's repository.",
        )
    ]


def test_several_other_versions_are_offered_in_order(apt: ModuleType) -> None:
    assert apt.versions_instead("php8.3-fpm", ["php8.10-fpm", *KNOWN]) == ["8.2", "8.4", "8.10"]
    assert apt.versions_instead("postgresql-15", KNOWN) == ["17"]
    assert apt.versions_instead("nginx", KNOWN) == []


def test_a_name_without_a_version_asks_to_look_at_the_sources(apt: ModuleType) -> None:
    [(problem, choose)] = apt.missing_problems(["valkey"], KNOWN, "Debian 12 (bookworm)")
    assert problem == "valkey has no installation candidate on Debian 12 (bookworm)"
    assert "apt-cache policy valkey" in choose


def test_a_version_that_the_name_does_not_say_is_said(apt: ModuleType) -> None:
    troubles = {"mysql-server": ("this device offers MySQL 9.7", "add the vendor's repository")}
    told = apt.missing_problems(["mysql-server"], [], "Debian 13 (trixie)", troubles, {"mysql-server": "8.4"})
    assert told == [
        (
            "mysql-server 8.4 has no installation candidate on Debian 13 (trixie); this device offers MySQL 9.7",
            "Choose another version of MySQL, or add the vendor's repository.",
        )
    ]


@pytest.mark.parametrize(
    ("version", "series", "fits"),
    [
        ("9.7.4-2", "9.7", True),
        ("1:8.4.10+dfsg-1ubuntu1", "8.4", True),
        ("9.70.1-1", "9.7", False),
        ("8.0.43-0ubuntu0.24.04.1", "8.4", False),
        ("15-1", "15", True),
    ],
)
def test_a_packages_version_is_one_of_a_series(apt: ModuleType, version: str, series: str, fits: bool) -> None:
    assert apt.in_series(version, series) is fits


def test_versions_are_read_from_dpkgs_status(apt: ModuleType) -> None:
    status = (
        "Package: mysql-server\nStatus: install ok installed\nPriority: optional\nDepends: a,\n b\nVersion: 9.7.4-2\n"
        "Conffiles:\n /etc/x 1\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 3-1\n\n"
        "Package: curl\nStatus: install ok installed\nVersion: 8.14-1\n"
    )
    assert apt.parse_installed_versions(status) == {"mysql-server": "9.7.4-2", "curl": "8.14-1"}
    assert apt.series_of("1:9.7.4-2") == "9.7"


def test_many_packages_of_one_version_make_one_sentence(apt: ModuleType) -> None:
    names = [f"php8.3-{name}" for name in ("fpm", "cli", "xml", "gd", "zip")]
    [(problem, _)] = apt.missing_problems(names, [], "Debian 12 (bookworm)")
    assert problem.startswith("php8.3-fpm, php8.3-cli, php8.3-xml and 2 more have no")


def test_candidates_are_read_from_apt_cache_where_pythons_apt_is_missing(apt: ModuleType) -> None:
    text = (
        "nginx:\n  Installed: (none)\n  Candidate: 1.22.1-9\n  Version table:\n"
        "ghost:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n"
    )
    assert apt.parse_policy(text) == {"nginx"}


def test_apt_is_not_asked_about_what_is_installed(apt: ModuleType) -> None:
    status = (
        "Package: nginx\nStatus: install ok installed\nPriority: optional\n\n"
        "Package: held\nStatus: hold ok installed\n\n"
        "Package: broken\nStatus: install ok half-configured\n\n"
        "Package: gone\nStatus: deinstall ok config-files\n"
    )
    assert apt.parse_installed(status) == {"nginx", "held"}


TCP = (
    "  sl  local_address rem_address st tx rx tr when retrnsmt uid timeout inode\n"
    "   0: 00000000:0050 00000000:0000 0A 0:0 0:0 0 0 0 777 1\n"
    "   1: 0100007F:18EB 00000000:0000 0A 0:0 0:0 0 0 0 778 1\n"
    "   2: 0100007F:0051 00000000:0000 01 0:0 0:0 0 0 0 779 1\n"
)


def test_listening_ports_are_read_from_proc(ports: ModuleType) -> None:
    assert ports.parse_listeners(TCP) == {80: {"777"}, 6379: {"778"}}
    assert ports.parse_listeners(TCP, loopback=False) == {80: {"777"}}


def test_a_port_held_by_the_expected_process_is_fine(ports: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "owners", lambda _: [12])
    monkeypatch.setattr(ports, "process_name", lambda _: "nginx")
    monkeypatch.setattr(ports, "unit_of", lambda _: "nginx.service")
    assert ports.port_problem(80, "nginx", {80: {"777"}}) is None
    assert ports.port_problem(443, "nginx", {80: {"777"}}) is None


def test_a_port_held_by_another_process_is_named_with_its_unit(
    ports: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "owners", lambda _: [12])
    monkeypatch.setattr(ports, "process_name", lambda _: "apache2")
    monkeypatch.setattr(ports, "unit_of", lambda _: "apache2.service")
    problem, choose = ports.port_problem(80, "nginx", {80: {"777"}})
    assert problem == "Port 80 is held by apache2 (process 12), not by nginx"
    assert "systemctl disable --now apache2.service" in choose


def test_it_refuses_a_full_disk_and_little_memory(plugin: Callable[[str], ModuleType]) -> None:
    preflight = plugin("modules.preflight")
    facts = {"disk_free_mb": 500, "memory_total_mb": 900}
    disk, memory = preflight.check_sizes(facts, 1000, 2000)
    assert disk["problem"] == "Only 500 MB of disk are free, 1000 MB are needed"
    assert memory["problem"] == "The device has 900 MB of memory, 2000 MB are needed"


def test_a_machine_sold_with_enough_memory_passes(plugin: Callable[[str], ModuleType]) -> None:
    preflight = plugin("modules.preflight")
    assert preflight.check_sizes({"disk_free_mb": 1, "memory_total_mb": 1870}, 0, 2048)[1]["ok"]


def test_it_refuses_a_wrong_clock_either_way(plugin: Callable[[str], ModuleType]) -> None:
    preflight = plugin("modules.preflight")
    assert "301 seconds ahead of" in preflight.check_clock(301, 300)["problem"]
    assert "9000 seconds behind" in preflight.check_clock(-9000, 300)["problem"]
    assert preflight.check_clock(299, 300)["ok"]


def test_one_message_lists_every_problem_of_the_device(plugin: Callable[[str], ModuleType]) -> None:
    preflight = plugin("modules.preflight")
    results = [
        preflight.check("disk", "Only 1 MB of disk are free", "Free some."),
        preflight.check("memory"),
        preflight.check("clock", "The clock is wrong", "Set it."),
    ]
    assert preflight.failure("web1", results) == (
        "web1 cannot be provisioned like this. Nothing was changed.\n"
        "- Only 1 MB of disk are free. Free some.\n"
        "- The clock is wrong. Set it."
    )
    assert preflight.failure("web1", [preflight.check("disk")]) is None


def test_what_is_installed_in_another_version_is_not_turned_into_the_wanted_one(
    plugin: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    preflight = plugin("modules.preflight")
    status = "Package: mysql-server\nStatus: install ok installed\nVersion: 9.7.4-2\n"
    monkeypatch.setattr(preflight, "read_text", lambda path: status)
    assert preflight.check_series({"mysql-server": "9.7"})["ok"]
    assert preflight.check_series({})["ok"]
    wrong = preflight.check_series({"mysql-server": "8.4"})
    assert wrong["problem"] == "mysql-server is installed in version 9.7.4-2, not 8.4"
    assert wrong["choose"] == "Choose MySQL 9.7, or another device for the other version."


def test_a_candidate_of_another_version_is_none(
    plugin: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    preflight = plugin("modules.preflight")
    monkeypatch.setattr(preflight, "installable", lambda names: (set(names), list(names)))
    monkeypatch.setattr(preflight, "candidates", lambda names: dict.fromkeys(names, "8.0.43-1"))
    missing, _, instead = preflight.without_candidate(["mysql-server", "curl"], {"mysql-server": "8.4"})
    assert missing == ["mysql-server"]
    assert instead["mysql-server"][0] == "this device offers MySQL 8.0"
    assert preflight.without_candidate(["mysql-server"], {"mysql-server": "8.0"})[0] == []
