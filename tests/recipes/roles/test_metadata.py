"""`meta/forgelab.yml` of a role: what it may say, and how each mistake is reported."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from forgelab.lib.problems import DocumentError
from forgelab.recipes.roles.listening import Port
from forgelab.recipes.roles.metadata import RoleMetadata, read_metadata

OPTIONS = {"tool_port": {"type": "int"}, "tool_mode": {"type": "str"}, "tool_plugins": {"type": "list"}}
VENDOR = """
  vendor:
    name: tools
    title: tools.example.org
    base_url: https://tools.example.org
    key_url: https://tools.example.org/key
    fingerprints: [0123456789ABCDEF0123456789ABCDEF01234567]
    suites: {bookworm: stable}
    packages: ["tool${version}"]
"""


@pytest.fixture
def read(tmp_path: Path):
    def made(text: str) -> RoleMetadata:
        (tmp_path / "tool/meta").mkdir(parents=True, exist_ok=True)
        (tmp_path / "tool/meta/forgelab.yml").write_text(text)
        return read_metadata(tmp_path / "tool", OPTIONS)

    return made


def test_a_role_need_not_have_it(tmp_path: Path) -> None:
    assert read_metadata(tmp_path, OPTIONS) == RoleMetadata()


def test_an_empty_file_says_nothing(read) -> None:
    assert read("---\n") == RoleMetadata()


def test_versions_have_their_ends_and_sources(read) -> None:
    text = """
versions:
  source: https://tools.example.org/support
  recommended: "2"
  known:
    "1": {supported_until: "2026-12-31", sources: [bookworm]}
    "2": {sources: [trixie, vendor]}
"""
    versions = read(text + VENDOR).versions
    assert versions.choices == ("1", "2")
    assert versions.known["1"].supported_until == date(2026, 12, 31)
    assert versions.known["2"].supported_until is None
    assert versions.carried() == {"bookworm": "1", "trixie": "2"}


class TestPorts:
    def test_are_numbers_or_variables_and_depend_on_values(self, read) -> None:
        ports = read("ports: [{port: 80, process: web}, {port: port, process: tool, when: {mode: server}}]").ports
        assert ports == (Port(80, "web"), Port("tool_port", "tool", {"tool_mode": "server"}))
        assert [port.at({"tool_port": 99, "tool_mode": "server"}) for port in ports] == [80, 99]
        assert [port.at({"tool_port": 99, "tool_mode": "client"}) for port in ports] == [80, None]

    def test_that_only_the_device_knows_are_left_out(self) -> None:
        assert Port("tool_port", "tool").at({"tool_port": "{{ 40 + 2 }}"}) is None

    def test_none_is_something_else_than_nothing_said(self, read) -> None:
        assert read("ports: []").ports == ()
        assert read("title: Tool").ports is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("titel: Tool", 'line 1: meta/forgelab.yml: titel: is not a known key; did you mean "title"?'),
        ("- title", "meta/forgelab.yml: must be a mapping with keys, not a list"),
        ("title: 5", "title: must be text, not a whole number"),
        ("ports: 80", "ports: must be a list"),
        ("ports: [{port: 0, process: x}]", "ports[0].port: must be a whole number from 1 to 65535"),
        ("ports: [{process: x}]", "ports[0].port: is missing"),
        ("ports: [{port: prot, process: x}]", 'ports[0].port: prot is no variable of the role; did you mean "port"?'),
        ("ports: [{port: 80}]", "ports[0].process: is missing"),
        ("ports: [{port: 80, process: x, when: {mood: a}}]", "ports[0].when.mood: mood is no variable of the role"),
        ("parts: [plugin]", 'parts: plugin is no variable of the role; did you mean "plugins"?'),
        ("versions: {known: {'1': {}}}", "versions.source: is missing"),
        ("versions: {source: https://x, known: {one: {}}}", 'known.one: "one" must be a version in quotes'),
        ("versions: {source: https://x, known: {'1': {until: x}}}", "known.1.until: is not a known key"),
        (
            "versions: {source: https://x, known: {'1': {supported_until: soon}}}",
            'supported_until: "soon" is no date; write it in quotes, such as 2027-12-31',
        ),
        (
            "versions: {source: https://x, known: {'1': {sources: [vendor]}}}",
            "known.1.sources: names vendor, which versions.vendor does not describe",
        ),
        (
            "versions: {source: https://x, known: {'1': {sources: [Vendor 1]}}}",
            'sources[0]: "Vendor 1" is no release such as bookworm, vendor or binaries; did you mean "vendor"?',
        ),
        ("versions: {source: https://x, recommended: '2', known: {'1': {}}}", 'recommended: "2" is not one of 1'),
        ("versions: {binaries: {title: x}}", "versions.binaries.architectures: is missing"),
        ("placement: {instance_mb: much}", "placement.instance_mb: must be a whole number"),
        ("placement: {disk: ssd}", "placement.disk: is not a known key"),
        ("distributions: {debian: {title: Debian, releases: {bookworm: 12}}}", "bookworm: must be text"),
        ("distributions: {pi: {title: Pi, same_as: debian}}", 'distributions.pi.same_as: "debian" is not one of'),
    ],
)
def test_a_mistake_is_reported_with_file_key_and_what_is_allowed(read, text: str, told: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read(text)
    assert told in str(refused.value)
