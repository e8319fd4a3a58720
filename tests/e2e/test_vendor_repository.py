"""PHP 8.3 for Debian 12 from a vendor: a signed repository that these tests make and serve on the lab's network."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from forgelab.lab import Lab, LabDevice
from tests.support.apt_repository import KEY_PATH, AptRepository, SigningKey, deb
from tests.support.stack import Stack

pytestmark = pytest.mark.lab
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Beside PHP's own packages, what they need in Debian 13's version to run on Debian 12.
SHARED = (
    "php-common base-files gcc-14-base libargon2-1 libbsd0 libc-bin libc-l10n libc6 libedit2 libgcc-s1 libgcrypt20 "
    "libgpg-error0 libicu* liblzma5 libmd0 libncurses6 libonig5 libpcre2-8-0 libsodium23 libssl3t64 libstdc++6 "
    "libsystemd0 libtinfo6 libxml2 libxslt1.1 libzstd1 locales openssl-provider-legacy zlib1g"
)
TYPE = "php-alone"
RECIPE = {
    "id": TYPE, "name": "PHP alone", "category": "infrastructure", "tagline": "PHP on the command line",
    "server_type": "php_alone",
    "requirements": {"memory": {"minimum": "256MB"}, "storage": {"minimum": "1GB"}, "cpu": {"minimum_cores": 1}},
    "components": [{"name": "php", "version": "8.3", "extensions": ["cli", "mbstring"], "fpm": False}],
    "config_options": [{"name": "php_version", "options": ["8.2", "8.3", "8.4"], "default": "8.3"}],
}  # fmt: skip
PHP = "#!/bin/sh\necho 'PHP 8.3.99 (cli) of the vendor'\n"


def add_packages(repository: AptRepository, folder: Path) -> None:
    """PHP 8.3 as a vendor packs it: with its own php-common and a library that Debian lacks, beside a package that is
    newer than Debian's and not wanted."""
    conf = {"etc/php/8.3/cli/conf.d/10-vendor.ini": "; of the vendor\n"}
    cli = {"usr/bin/php8.3": PHP, **conf}
    repository.add(deb(folder, "php8.3-cli", "8.3.99-1", cli, depends="php-common (>= 9:1), libvendor1"))
    repository.add(deb(folder, "php8.3-mbstring", "8.3.99-1", {}, depends="php8.3-cli"))
    repository.add(deb(folder, "php-common", "9:1", {}))
    repository.add(deb(folder, "libvendor1", "1", {}))
    repository.add(deb(folder, "logrotate", "99", {}))
    repository.add(deb(folder, "sed", "99", {}))
    repository.publish()


@dataclass
class Vendor:
    """The repository, where it is served, and how ForgeLab finds it."""

    repository: AptRepository
    url: str
    stack: Stack

    def configure(self, **changes: Any) -> None:
        mirror = {"base_url": self.url, "key_url": f"{self.url}/{KEY_PATH}"}
        own = {**mirror, "fingerprints": [self.repository.key.fingerprint], **changes}
        (self.stack.data_dir / "vendors.yaml").write_text(yaml.safe_dump({"php": own}))


@pytest.fixture(scope="module")
def vendor(stack: Stack, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    recipe = stack.data_dir / "recipes" / TYPE / "manifest.yaml"
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text(yaml.safe_dump(RECIPE))
    key = SigningKey()
    repository = AptRepository(key)
    add_packages(repository, tmp_path_factory.mktemp("debs"))
    with repository.served(lab.site.gateway) as url:
        yield Vendor(repository, url, stack)
    (stack.data_dir / "vendors.yaml").unlink(missing_ok=True)  # the recipe stays: its server is exported with others
    key.close()


@pytest.fixture(scope="module")
def machine(join: Callable[..., tuple[LabDevice, str]], vendor: Vendor) -> tuple[LabDevice, str]:
    return join("e2e-vendor", memory="1G")


def provision(stack: Stack, device_id: str, name: str = TYPE, **config: str) -> dict[str, Any]:
    body = {"server_type": TYPE, "name": name, "device_id": device_id, "config": config}
    answer = stack.api.post("infrastructure/provision", json=body)
    assert answer.status_code == 202, answer.text
    return stack.wait_for_end(answer.json()["run"]["id"])


def state(device: LabDevice) -> str:
    """Everything that a run could have changed, but for the index of the device's own package sources."""
    look = (
        "find /etc /usr/share/keyrings /tmp -type f -exec sha256sum {} + | sort; dpkg-query -W; "
        "ls /var/lib/apt/lists | grep -v -e debian -e auxfiles; ls -d /tmp/forgelab* 2>/dev/null; true"
    )
    return device.exec(["sh", "-c", look]).stdout


def apt_policy(device: LabDevice, package: str) -> str:
    return device.exec(["apt-cache", "policy", package]).stdout


def upgrades(device: LabDevice, origin: str, *options: str) -> list[str]:
    """What an upgrade would take from `origin`. The distribution may offer something of its own on any day."""
    simulated = device.exec(["apt-get", *options, "--simulate", "dist-upgrade"]).stdout
    return [line for line in simulated.splitlines() if line.startswith("Inst ") and origin in line]


def refused(vendor: Vendor, machine: tuple[LabDevice, str]) -> str:
    """The words with which a run is refused that leaves the device as it was."""
    device, device_id = machine
    before = state(device)
    run = provision(vendor.stack, device_id)
    assert run["status"] == "failed", run["status_detail"]
    assert [step["role"] for step in run["steps"] if step["status"] == "failed"] == ["preflight"]
    assert state(device) == before
    assert "PHP 8.2" in run["status_detail"]  # what is available instead
    return run["status_detail"]


def test_a_key_with_another_fingerprint_is_refused_and_nothing_is_touched(
    vendor: Vendor, machine: tuple[LabDevice, str]
) -> None:
    vendor.configure(fingerprints=["0" * 40])
    said = refused(vendor, machine)
    assert vendor.repository.key.fingerprint in said
    assert "0" * 40 in said


def test_a_tampered_index_is_refused_and_nothing_is_touched(vendor: Vendor, machine: tuple[LabDevice, str]) -> None:
    vendor.configure()
    path = f"dists/{vendor.repository.suite}/InRelease"
    signed = vendor.repository.files[path]
    vendor.repository.files[path] = signed.replace(b"Suite: bookworm", b"Suite: bullseye")
    try:
        assert "its signature is not good" in refused(vendor, machine)
    finally:
        vendor.repository.files[path] = signed


def expired(repository: AptRepository, other: SigningKey) -> None:
    repository.publish(valid_days=-1)


def signed_by_another(repository: AptRepository, other: SigningKey) -> None:
    repository.publish(signer=other)


def signed_by_a_smuggled_subkey(repository: AptRepository, other: SigningKey) -> None:
    """The pinned key stands in front of the other's, which claims to be its subkey and is not signed by it."""
    packets = other.public(armor=False)
    assert packets[0] == 0x99  # a public key packet whose length has two octets
    length = int.from_bytes(packets[1:3], "big")
    subkey = bytes([0xB9]) + packets[1 : 3 + length]  # the same packet as a subkey's
    repository.files[KEY_PATH] = repository.key.public(armor=False) + subkey
    repository.publish(signer=other)


def with_changed_packages(repository: AptRepository, other: SigningKey) -> None:
    for path in [path for path in repository.files if "/Packages" in path]:
        repository.files[path] = repository.files[path][:-3] + b"xxx"


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (expired, "its index has expired"),
        (signed_by_another, "signed with another key than the pinned one"),
        (signed_by_a_smuggled_subkey, "its signature is not good"),
        (with_changed_packages, "its files are not those that were signed"),
    ],
)
def test_an_index_that_cannot_be_trusted_is_refused(
    vendor: Vendor, machine: tuple[LabDevice, str], spoil: Callable[[AptRepository, SigningKey], None], told: str
) -> None:
    vendor.configure()
    files = dict(vendor.repository.files)
    other = SigningKey("Somebody else <else@example.org>")
    try:
        spoil(vendor.repository, other)
        assert told in refused(vendor, machine)
    finally:
        vendor.repository.files = files
        other.close()


@pytest.mark.matrix
def test_a_host_that_never_answers_is_given_up_soon(vendor: Vendor, lab: Lab, machine: tuple[LabDevice, str]) -> None:
    with socket.create_server((lab.site.gateway, 0)) as silent:
        vendor.configure(key_url=f"http://{lab.site.gateway}:{silent.getsockname()[1]}/key")
        assert "it cannot be reached" in refused(vendor, machine)


@pytest.mark.matrix
def test_packages_that_do_not_fit_the_device_are_refused(
    vendor: Vendor, lab: Lab, machine: tuple[LabDevice, str], tmp_path: Path
) -> None:
    unfit = AptRepository(vendor.repository.key)
    unfit.add(deb(tmp_path, "php8.3-cli", "8.3.99-1", {}, depends="libnowhere9"))
    unfit.add(deb(tmp_path, "php8.3-mbstring", "8.3.99-1", {}))
    unfit.publish()
    with unfit.served(lab.site.gateway) as url:
        vendor.configure(base_url=url)
        assert "php8.3-cli : Depends: libnowhere9" in refused(vendor, machine)


def test_a_version_comes_from_the_vendor_when_the_distribution_lacks_it(
    vendor: Vendor, machine: tuple[LabDevice, str]
) -> None:
    device, device_id = machine
    vendor.configure()
    run = provision(vendor.stack, device_id)
    assert run["status"] == "succeeded", run["status_detail"]
    assert "of the vendor" in device.exec(["php8.3", "-v"]).stdout
    server = vendor.stack.api.get("infrastructure/servers").raise_for_status().json()
    server = next(each for each in server.get("results", server) if each["name"] == TYPE)
    assert [each["version"] for each in server["components"] if each["name"] == "php"] == ["8.3.99"]
    again = provision(vendor.stack, device_id)
    assert again["status"] == "succeeded", again["status_detail"]
    assert sum(again["outcome"]["recap"]["changed"].values()) == 0


def test_nothing_else_is_taken_from_the_vendor(vendor: Vendor, machine: tuple[LabDevice, str]) -> None:
    device, _ = machine
    assert "Candidate: 8.3.99-1" in apt_policy(device, "php8.3-cli")
    assert "Installed: 9:1" in apt_policy(device, "php-common")
    for package in ("sed", "logrotate"):
        assert " 99 50" in apt_policy(device, package)  # the vendor's is known, and of no weight
        assert "Candidate: 99" not in apt_policy(device, package)
    assert upgrades(device, vendor.repository.origin) == []
    # Without ForgeLab's pin the vendor would replace them: the line above looks for what could be there.
    unpinned = upgrades(device, vendor.repository.origin, "-o", "Dir::Etc::PreferencesParts=/nowhere")
    assert {"sed", "logrotate"} <= {line.split()[1] for line in unpinned}


def test_the_repository_goes_when_nothing_of_it_is_left(vendor: Vendor, machine: tuple[LabDevice, str]) -> None:
    device, device_id = machine
    remove = ["apt-get", "purge", "--yes", "-qq", "--autoremove", "php8.3-cli", "php-common"]
    device.exec(["env", "DEBIAN_FRONTEND=noninteractive", *remove])
    run = provision(vendor.stack, device_id, php_version="8.2")
    assert run["status"] == "succeeded", run["status_detail"]
    assert "forgelab" not in device.exec(["sh", "-c", "ls /etc/apt/*.d /etc/apt/keyrings"]).stdout.replace(
        "90forgelab-lab", ""
    )
    assert "PHP 8.2" in device.exec(["php8.2", "-v"]).stdout


@pytest.mark.matrix
def test_real_php_comes_from_a_large_repository_that_several_keys_sign(
    vendor: Vendor, join: Callable[..., tuple[LabDevice, str]]
) -> None:
    """Debian 13 plays the vendor for Debian 12: it calls itself Debian too, and stays apart by its code name."""
    device, device_id = join("e2e-vendor-13", memory="1G")
    sources = device.exec(["sh", "-c", "cat /etc/apt/sources.list.d/*.sources"]).stdout
    keys = device.exec(["gpg", "--show-keys", "--with-colons", KEYRING]).stdout
    vendor.configure(
        title="Debian 13",
        base_url=next(line.split()[1] for line in sources.splitlines() if re.match(r"URIs: \S+/debian/?$", line)),
        key_url=f"file:{KEYRING}",
        fingerprints=re.findall(r"^pub:.*\nfpr:+([0-9A-F]+):", keys, re.M),
        suites={"bookworm": "trixie"},
        shared=SHARED.split(),
    )
    run = provision(vendor.stack, device_id, name="php-of-13", php_version="8.4")
    assert run["status"] == "succeeded", run["status_detail"]
    assert "PHP 8.4." in device.exec(["php8.4", "-v"]).stdout
    assert "Candidate: 1.22" in apt_policy(device, "nginx")  # Debian 12's, though Debian 13 has a newer one
