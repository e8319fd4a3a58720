"""MySQL's vendor for tests on Debian 13, which has none: a signed repository with Debian unstable's packages."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from forgelab.lab.images import NO_EXPIRY
from forgelab.lab.registries import debian_archives, sources_for
from tests.support.apt_repository import KEY_PATH, AptRepository, SigningKey

VERSION = "9.7"
MYSQL = ("mysql-server", "mysql-server-core", "mysql-client", "mysql-client-core", "mysql-common")
# What this build needs in unstable's version; everything else is Debian 13's.
SHARED = ("gcc-16-base", "libgcc-s1", "libgoogle-perftools4t64", "libstdc++6", "libtcmalloc-minimal4t64", "libunwind8")
LIBRARIES = ("libicu78",)  # which Debian 13 does not know at all


def download(folder: Path) -> list[Path]:
    """These packages from this machine's Debian archive, checked against Debian's keys."""
    sources = folder / "unstable.sources"
    sources.write_text(sources_for([(uri, suffix) for uri, suffix in debian_archives() if suffix == ""], "sid"))
    (folder / "lists").mkdir()
    configuration = folder / "apt.conf"
    configuration.write_text(
        f'Dir::Etc::sourcelist "{sources}";\nDir::Etc::sourceparts "-";\nDir::Etc::preferencesparts "-";\n'
        f'Dir::State::lists "{folder}/lists";\nDir::State::status "/dev/null";\nDir::Cache "{folder}";\n'
        f'APT::Sandbox::User "root";\nAcquire::Languages "none";\n{NO_EXPIRY}\n'
    )
    for command in (["update"], ["download", *MYSQL, *SHARED, *LIBRARIES]):
        done = subprocess.run(
            ["apt-get", "-q", "-c", configuration, *command], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    return sorted(folder.glob("*.deb"))


@contextmanager
def vendor(folder: Path, address: str) -> Iterator[dict[str, object]]:
    """Serve them on this address, signed again; a section `mysql` of vendors.yaml."""
    key = SigningKey()
    repository = AptRepository(key, suite="trixie")
    for package in download(folder):
        repository.add(package.read_bytes())
    repository.publish()
    with repository.served(address) as url:
        yield {
            "name": "mysql-vendor",
            "title": "mysql.example.org",
            "base_url": url,
            "key_url": f"{url}/{KEY_PATH}",
            "fingerprints": [key.fingerprint],
            "suites": {"trixie": "trixie"},
            "packages": list(MYSQL),
            "shared": list(SHARED),
            "versions": [VERSION],
        }
    key.close()


@contextmanager
def mysql_vendor(folder: Path, address: str, data_dir: Path) -> Iterator[None]:
    """The same, known to the ForgeLab with this data folder."""
    with vendor(folder, address) as section:
        (data_dir / "vendors.yaml").write_text(yaml.safe_dump({"mysql": section}))
        yield
        (data_dir / "vendors.yaml").unlink()
