from __future__ import annotations

import pytest

from forgelab.lab import registries
from forgelab.lab.errors import LabError
from forgelab.lab.registries import Registries, endpoint, parse_apt, pip_urls, sources_for

DEB822 = """\
Types: deb
# http://old.example/debian
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example:8080/debian-security
Suites: bookworm-security
Components: main

Types: deb-src
URIs: http://mirror.example/debian
Suites: trixie
Components: main

Types: deb
URIs: https://vendor.example/linux
Suites: bookworm
Components: stable
"""
ARCHIVES = [
    ("http://mirror.example/debian", ""),
    ("http://mirror.example/debian", "updates"),
    ("http://mirror.example:8080/debian-security", "security"),
]


def test_it_reads_the_debian_archives_of_a_sources_file_and_no_others():
    assert parse_apt(DEB822) == ARCHIVES


def test_it_skips_an_archive_that_is_switched_off():
    assert parse_apt(DEB822.replace("Types: deb\n#", "Enabled: no\nTypes: deb\n#")) == ARCHIVES[2:]


def test_it_reads_a_list_file():
    text = (
        "# deb http://old.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/x.gpg] http://mirror.example/debian bookworm main contrib\n"
        "deb-src http://mirror.example/debian bookworm main\n"
        "deb http://mirror.example/debian bookworm-updates main\n"
        "deb http://mirror.example:8080/debian-security bookworm-security main\n"
    )
    assert parse_apt(text) == ARCHIVES


def test_it_writes_sources_for_another_suite():
    assert sources_for(ARCHIVES, "trixie").splitlines() == [
        "Types: deb",
        "URIs: http://mirror.example/debian",
        "Suites: trixie trixie-updates",
        "Components: main",
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
        "",
        "Types: deb",
        "URIs: http://mirror.example:8080/debian-security",
        "Suites: trixie-security",
        "Components: main",
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
    ]


def test_a_machine_without_debian_archives_is_shown_how_to_name_one(monkeypatch):
    monkeypatch.setattr(registries, "APT_FILES", ())
    monkeypatch.delenv("FORGELAB_LAB_MIRROR", raising=False)
    with pytest.raises(LabError, match="export FORGELAB_LAB_MIRROR="):
        registries.debian_archives()
    monkeypatch.setenv("FORGELAB_LAB_MIRROR", "http://mirror.example/debian")
    assert registries.debian_archives() == ARCHIVES[:2]


def test_pip_keeps_web_indices_and_leaves_folders_of_this_machine():
    listing = (
        ":env:.index-url='https://one.example/simple'\n"
        "global.extra-index-url='file:///opt/simple https://two.example/simple\\nhttps://three.example/simple'\n"
        "global.find-links='/opt/wheels'\n"
        "global.index-url='https://file.example/simple'\n"
    )
    assert pip_urls(listing) == (
        "https://one.example/simple",
        ["https://two.example/simple", "https://three.example/simple"],
    )


def test_pip_without_settings_has_no_index_of_its_own():
    assert pip_urls("global.cert='/etc/ssl/certs/ca-certificates.crt'\n") == ("", [])


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example/debian", "a.example:80"),
        ("https://a.example/simple/", "a.example:443"),
        ("https://user:word@a.example:8443/simple", "a.example:8443"),
    ],
)
def test_an_endpoint_is_host_and_port(url, target):
    assert endpoint(url) == target


def test_endpoints_are_those_of_every_client_once():
    found = Registries(apt=ARCHIVES, pip_extra=["https://pip.example/simple"], npm="https://npm.example/")
    assert found.endpoints() == ["mirror.example:80", "mirror.example:8080", "npm.example:443", "pip.example:443"]


def test_they_are_saved_for_root_only_and_read_back(tmp_path):
    found = Registries(apt=ARCHIVES, pip_index="https://user:word@pip.example/simple")
    found.save(tmp_path / "registries.json")
    assert (tmp_path / "registries.json").stat().st_mode & 0o777 == 0o600
    assert Registries.load(tmp_path / "registries.json") == found


def test_a_client_that_is_not_installed_contributes_nothing(monkeypatch):
    monkeypatch.setattr(registries, "debian_archives", lambda: ARCHIVES)
    monkeypatch.setattr(registries, "_output", lambda *argv: "")
    assert registries.read_registries() == Registries(apt=ARCHIVES)
