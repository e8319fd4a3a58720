from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.roles.helpers import load_plugin
from tests.support.apt_repository import KEY_PATH, AptRepository, SigningKey, deb

PHP = {
    "name": "sury", "title": "packages.example.org", "base_url": "http://packages.example.org/php",
    "key_url": "http://packages.example.org/key", "fingerprints": ["A" * 40], "suites": {"bookworm": "bookworm"},
    "components": ["main"], "packages": ["php${version}", "php${version}-*"], "shared": ["php-common"],
}  # fmt: skip
EMPTY_ARMOR = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!\n-----END PGP PUBLIC KEY BLOCK-----"


def utils(name: str) -> ModuleType:
    return load_plugin(f"module_utils.{name}")


@pytest.fixture
def vendors() -> ModuleType:
    return utils("vendors")


@pytest.fixture
def openpgp() -> ModuleType:
    return utils("openpgp")


@pytest.fixture(scope="module")
def key() -> Iterator[SigningKey]:
    key = SigningKey()
    yield key
    key.close()


@pytest.fixture(scope="module")
def other() -> Iterator[SigningKey]:
    key = SigningKey("Somebody else <else@example.org>")
    yield key
    key.close()


@pytest.mark.parametrize("armor", [True, False])
def test_a_key_is_known_by_the_fingerprint_that_gpg_shows(
    openpgp: ModuleType, key: SigningKey, other: SigningKey, tmp_path: Path, armor: bool
) -> None:
    (tmp_path / "keys").write_bytes(key.public(armor) + other.public(armor))
    assert openpgp.fingerprints(tmp_path / "keys", key.home) == [key.fingerprint, other.fingerprint]


@pytest.mark.parametrize("armor", [True, False])
def test_what_is_written_for_apt_holds_the_same_key(
    openpgp: ModuleType, key: SigningKey, tmp_path: Path, armor: bool
) -> None:
    written = openpgp.armored(key.public(armor), "Managed by ForgeLab. packages.example.org")
    assert "Managed by ForgeLab" in written
    (tmp_path / "key.asc").write_text(written)
    assert openpgp.fingerprints(tmp_path / "key.asc", key.home) == [key.fingerprint]


@pytest.fixture(scope="module")
def repository(key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AptRepository]:
    repository = AptRepository(key)
    repository.add(deb(tmp_path_factory.mktemp("debs"), "hello-vendor", "1.0", {"usr/bin/hello-vendor": "x"}))
    with repository.served("127.0.0.1") as repository.url:
        yield repository


@pytest.fixture(params=["with gpg", "without gpg"])
def try_it(
    request: pytest.FixtureRequest, repository: AptRepository, openpgp: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """What this machine's own apt says of the repository with this key and this pin: "" when it trusts it."""
    if request.param == "without gpg":
        monkeypatch.setattr(openpgp.shutil, "which", lambda name: None)

    def tried(published: bytes, pinned: str, signer: SigningKey) -> str:
        repository.files[KEY_PATH] = published
        repository.publish(signer=signer)
        vendor = {
            **PHP,
            "base_url": repository.url,
            "key_url": f"{repository.url}/{KEY_PATH}",
            "fingerprints": [pinned],
        }
        trial = utils("trial")
        with trial.PrivateApt() as apt:
            try:
                apt.add(utils("vendors").source_for(vendor, "bookworm", ["8.3"]))
            except trial.VendorFailed as refusal:
                return str(refusal)
        return ""

    return tried


class TestAKey:
    @pytest.mark.parametrize("armor", [True, False])
    def test_that_is_pinned_is_trusted_among_others(
        self, try_it: Callable[..., str], key: SigningKey, other: SigningKey, armor: bool
    ) -> None:
        assert try_it(key.public(armor), key.fingerprint, key) == ""
        assert try_it(other.public(armor) + key.public(armor), key.fingerprint, key) == ""

    def test_that_is_published_beside_the_pinned_one_is_not_trusted(
        self, try_it: Callable[..., str], key: SigningKey, other: SigningKey
    ) -> None:
        said = try_it(key.public() + other.public(), key.fingerprint, other)
        assert "it is signed with another key than the pinned one" in said

    def test_that_is_another_one_is_not_trusted(
        self, try_it: Callable[..., str], key: SigningKey, other: SigningKey
    ) -> None:
        said = try_it(key.public(), other.fingerprint, key)
        assert f"its key has the fingerprint {key.fingerprint}" in said or "another key than the pinned one" in said

    @pytest.mark.parametrize("published", [b"", b"<html>not found</html>", EMPTY_ARMOR])
    def test_that_is_no_key_is_refused(self, try_it: Callable[..., str], key: SigningKey, published: bytes) -> None:
        assert "cannot be used" in try_it(published, key.fingerprint, key)

    def test_that_is_cut_off_is_refused(self, try_it: Callable[..., str], key: SigningKey) -> None:
        whole = key.public(False)
        for end in (5, len(whole) // 2):
            assert try_it(whole[:end], key.fingerprint, key)


@pytest.mark.parametrize(
    ("template", "name", "version"),
    [
        ("php${version}-*", "php8.3-fpm", "8.3"),
        ("php${version}", "php8.3", "8.3"),
        ("php${version}", "php8.3-fpm", None),
        ("php${version}-*", "php-common", None),
        ("postgresql-${version}", "postgresql-17", "17"),
        ("nodejs", "nodejs", ""),
    ],
)
def test_a_package_name_shows_its_version(vendors: ModuleType, template: str, name: str, version: str | None) -> None:
    assert vendors.version_of(template, name) == version


def test_a_source_is_for_the_needed_versions_only(vendors: ModuleType) -> None:
    wanted = vendors.versions_wanted(PHP, ["php8.10-cli", "php8.9-cli", "php8.9-fpm", "nginx"])
    assert wanted == {"8.10": ["php8.10-cli"], "8.9": ["php8.9-cli", "php8.9-fpm"]}
    source = vendors.source_for(PHP, "bookworm", wanted)
    assert source["packages"] == ["php8.9", "php8.9-*", "php8.10", "php8.10-*", "php-common"]
    assert vendors.source_problems(source) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "http://mirror/php\nTrusted: yes"),
        ("suite", "bookworm\nTrusted: yes"),
        ("name", "../etc"),
        ("fingerprints", []),
        ("fingerprints", ["B695BD4743"]),
        ("fingerprints", ["A" * 64]),
        ("packages", ["php8.3\nPin: release *"]),
        ("components", ["main contrib"]),
    ],
)
def test_a_value_never_becomes_another_line_of_apts_files(vendors: ModuleType, key: str, value: object) -> None:
    source = {**vendors.source_for(PHP, "bookworm", ["8.3"]), key: value}
    assert any(key in text for text in vendors.source_problems(source))


@pytest.mark.parametrize(("name", "good"), [("sury", True), ("../../etc", False), ("a b", False), ("", False)])
def test_only_a_plain_name_leads_to_files(vendors: ModuleType, name: str, good: bool) -> None:
    assert vendors.is_name(name) is good


def test_the_files_name_key_and_packages_and_are_read_back(vendors: ModuleType) -> None:
    source = vendors.source_for(PHP, "bookworm", ["8.3"])
    signed_by = f"Signed-By: /etc/apt/keyrings/forgelab-sury.asc {PHP['fingerprints'][0]}\n"
    assert signed_by in vendors.sources_text(source, vendors.key_path("sury"))
    text = vendors.preferences_text(source, "release o=Vendor")
    assert vendors.parse_preferences(text) == (source["packages"], "release o=Vendor")
    assert vendors.parse_preferences("Package: *\nPin: release o=Debian\nPin-Priority: 1\n") == ([], "")


RELEASE = "Origin: Vendor\nLabel: Vendor PHP\nSuite: stable\nCodename: bookworm\n"


def test_a_repository_is_pinned_by_what_its_release_file_says(vendors: ModuleType) -> None:
    pin = vendors.pin_for(RELEASE, "http://one.example.org/php", [], [])
    assert pin == "release o=Vendor,l=Vendor PHP,n=bookworm"


def test_a_repository_that_calls_itself_like_another_is_pinned_by_its_host(vendors: ModuleType) -> None:
    debian = "Origin: Debian\nLabel: Debian\nCodename: bookworm\n"
    elsewhere = ["http://deb.example.org/debian"]
    assert vendors.pin_for(debian, "http://one.example.org:81/php", [debian], elsewhere) == 'origin "one.example.org"'
    assert vendors.pin_for(debian, "http://deb.example.org/php", [debian], elsewhere) == ""
    assert vendors.pin_for("", "http://deb.example.org/php", [], elsewhere) == ""


def test_a_release_file_cannot_widen_its_pin(vendors: ModuleType) -> None:
    assert vendors.release_pin("Origin: *\nLabel: a,n=bookworm\nCodename: trixie\n") == ""
    assert vendors.release_pin("Origin: /.*/\nLabel: Vendor\nSuite: stable\n") == "release l=Vendor,a=stable"


def test_list_files_are_found_by_their_address(vendors: ModuleType) -> None:
    assert vendors.list_prefix("http://user@one.example.org:81/a_b/c/") == "one.example.org:81_a%5fb_c"


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("E: Failed to fetch http://x/InRelease  Could not connect to x:80", "it cannot be reached (Failed to fetch"),
        ("E: The following signatures were invalid: BADSIG 1234", "its signature is not good"),
        ("E: GPG error: x: couldn't be verified because the public key is not available: NO_PUBKEY 12", "another key"),
        ("E: Release file for http://x/InRelease is expired (invalid since 3d)", "its index has expired"),
        (
            "E: The repository 'http://x bookworm Release' does not have a Release file.",
            "it has nothing for this suite",
        ),
        ("W: Failed to fetch http://x/Packages  Hash Sum mismatch", "its files are not those that were signed"),
        ("", "it cannot be reached (apt said nothing)"),
    ],
)
def test_apts_messages_become_a_cause(said: str, meaning: str) -> None:
    assert meaning in utils("trial").cause(said)


class NoApt:
    """Stands where a repository would be tried: these tests ask nobody."""

    def __init__(self) -> None:
        raise AssertionError("no repository need be tried here")


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """`choose` on a device whose apt files are in a folder of the test's."""
    module = utils("vendor_choice")
    known = utils("vendors")
    monkeypatch.setattr(known, "SOURCES", tmp_path)
    monkeypatch.setattr(known, "PREFERENCES", tmp_path)
    monkeypatch.setattr(module, "PrivateApt", NoApt)

    def chosen(pinned: list[str], **arguments: Any) -> Any:
        if pinned:
            source = known.source_for(PHP, "bookworm", pinned)
            known.sources_path("sury").write_text("")
            known.preferences_path("sury").write_text(known.preferences_text(source, "release o=Vendor"))
        defaults = {"release": "bookworm", "wanted": [], "missing": [], "installed": set()}
        return module.choose([PHP], **{**defaults, **arguments})

    return chosen


def test_no_vendor_is_set_up_while_the_distribution_has_everything(choose: Callable[..., Any]) -> None:
    choice = choose([], wanted=["php8.2-cli"], installed={"php8.2-cli"})
    assert (choice.sources, choice.absent) == ([], [])


def test_a_vendor_stays_while_something_of_it_is_installed_or_wanted(choose: Callable[..., Any]) -> None:
    kept = choose(["8.3"], wanted=["php8.2-cli"], installed={"php8.3-cli", "php8.2-cli"})
    assert [source["packages"][0] for source in kept.sources] == ["php8.3"]
    assert choose(["8.3"], wanted=["php8.3-cli"]).absent == []


def test_a_vendor_goes_when_nothing_of_it_is_installed_or_wanted(choose: Callable[..., Any]) -> None:
    choice = choose(["8.3"], wanted=["php8.2-cli"], installed={"php8.2-cli"})
    assert (choice.sources, choice.absent) == ([], ["sury"])


def test_a_version_that_is_not_needed_any_more_leaves_the_pin(choose: Callable[..., Any]) -> None:
    choice = choose(["8.3", "8.4"], wanted=["php8.4-cli"], installed={"php8.4-cli"})
    assert [source["packages"] for source in choice.sources] == [["php8.4", "php8.4-*", "php-common"]]


def test_a_release_that_the_vendor_does_not_serve_is_reported(choose: Callable[..., Any]) -> None:
    choice = choose([], release="forky", wanted=["php8.3-cli"], missing=["php8.3-cli"])
    assert choice.troubles == {"php8.3-cli": ("packages.example.org has nothing for forky", "choose another device")}
    [(problem, way_out)] = utils("apt").missing_problems(
        ["php8.3-cli"], ["php8.4-cli"], "Debian 14 (forky)", choice.troubles
    )
    assert problem.endswith("this device offers PHP 8.4; packages.example.org has nothing for forky")
    assert way_out == "Choose PHP 8.4, or choose another device."


class OneServer:
    """Stands where a repository is tried that has one mysql-server, in version 9.7."""

    def __enter__(self) -> OneServer:
        return self

    def __exit__(self, *_: object) -> None: ...

    def add(self, source: dict[str, Any]) -> None: ...

    def join_device(self, without: list[str]) -> None: ...

    def known(self) -> list[str]:
        return ["mysql-server"]

    def trouble(self, names: list[str]) -> str:
        return ""

    def candidate(self, name: str) -> str:
        return "9.7.4-2"


@pytest.mark.parametrize(("wanted", "found"), [("9.7", ["mysql-server"]), ("8.4", [])])
def test_a_version_that_the_name_does_not_say_is_looked_at(
    choose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, wanted: str, found: list[str]
) -> None:
    module = utils("vendor_choice")
    monkeypatch.setattr(module, "PrivateApt", OneServer)
    vendor = {**PHP, "packages": ["mysql-server"], "shared": []}
    choice = module.choose([vendor], "bookworm", ["mysql-server"], ["mysql-server"], set(), {"mysql-server": wanted})
    assert choice.found == found
    if not found:
        [(why, fix)] = choice.troubles.values()
        assert "does not have mysql-server 8.4 either; it offers MySQL 9.7" in why
        assert fix.startswith("one that packages.example.org offers")
