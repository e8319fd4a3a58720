"""A vendor's repository tried in an apt of its own, so that nothing of the device's changes (runs on the device)."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.forgelab.homelab.plugins.module_utils.apt import parse_candidates
from ansible_collections.forgelab.homelab.plugins.module_utils.openpgp import armored, fingerprints
from ansible_collections.forgelab.homelab.plugins.module_utils.vendors import (
    PREFERENCES,
    SOURCES,
    described,
    key_path,
    list_prefix,
    pin_for,
    preferences_path,
    preferences_text,
    sources_path,
    sources_text,
)

APT_HELPER = "/usr/lib/apt/apt-helper"
APT_USER = "_apt"
DEVICE_LISTS = Path("/var/lib/apt/lists")
RELEASE = ("_InRelease", "_Release")
KEY_BYTES = 1_000_000
# Seconds. A user who waits for a preflight should not wait long for a host that does not answer.
ANSWER, KEY, UPDATE, SIMULATION = 5, 20, 120, 120
CONF = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Post-Invoke-Stats;
Dir::State::lists "{folder}/lists/";
Dir::Cache "{folder}/cache/";
Dir::Etc::sourceparts "{folder}/sources.list.d/";
Dir::Etc::preferencesparts "{folder}/preferences.d/";
Acquire::http::Timeout "{answer}";
Acquire::https::Timeout "{answer}";
Acquire::Retries "0";
Acquire::Languages "none";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
APT::Get::List-Cleanup "false";
Debug::NoLocking "true";
"""
SPACE = re.compile(r"\s+")
CAUSES = (
    (r"is expired|Release file .* expired", "its index has expired, so it is an outdated copy"),
    (r"not valid yet", "its index is from the future: look at the device's clock"),
    (r"(?i)hash sum mismatch|unexpected size|\bweak\b", "its files are not those that were signed"),
    (r"(?i)NO_PUBKEY|GOODSIG|missing key|required signer", "it is signed with another key than the pinned one"),
    (r"(?i)(parse|certificate in) keyring", "its key cannot be read"),
    (r"(?i)signature|BADSIG|EXPKEYSIG|clearsigned|openpgp|\bsqv\b|gpgv", "its signature is not good"),
    (r"is not signed", "its signature is not good"),
    (r"does not have a Release file|404 ", "it has nothing for this suite"),
    (r"(?i)certificate", "its certificate is not accepted; is the package ca-certificates installed?"),
)


class VendorFailed(Exception):
    """A repository that cannot be used; the text is a sentence without its full stop."""


def cause(said: str) -> str:
    """What apt's messages mean, and the most informative one."""
    lines = sorted(line for line in said.splitlines() if line.startswith(("E:", "W:")))
    told = [(text, line) for pattern, text in CAUSES for line in lines if re.search(pattern, line)]
    meaning, line = (told or [("it cannot be reached", (lines or ["E: apt said nothing"])[0])])[0]
    return f"{meaning} ({re.sub(SPACE, ' ', line[2:])[:300].strip('. ')})"


class PrivateApt:
    """A folder with lists, sources and preferences of its own. Use it in a `with`; it leaves nothing behind."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="forgelab-vendor-"))
        self.folder.chmod(0o755)  # apt downloads and verifies as a user of its own
        for name in ("lists", "cache", "sources.list.d", "preferences.d", "keys", "downloads"):
            (self.folder / name).mkdir(mode=0o755)
        with contextlib.suppress(LookupError):
            shutil.chown(self.folder / "downloads", APT_USER)
        self.conf = self.folder / "apt.conf"
        self.conf.write_text(CONF.format(folder=self.folder, answer=ANSWER))

    def __enter__(self) -> PrivateApt:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, source: Mapping[str, Any]) -> tuple[str, str]:
        """Fetch the source's key and index; the key as text and the pin. Raises VendorFailed."""
        key_text = self._key(source)
        key = self.folder / "keys" / key_path(source["name"]).name
        key.write_text(key_text)
        file = self.folder / "sources.list.d" / sources_path(source["name"]).name
        file.write_text(sources_text(source, key))
        before = set(self._releases(self.folder / "lists"))
        options = ["-o", f"Dir::Etc::sourcelist={file}", "-o", "Dir::Etc::sourceparts=/dev/null"]
        done = self.run(["apt-get", "update", "-q", "--error-on=any", *options], UPDATE)
        new = sorted(set(self._releases(self.folder / "lists")) - before)
        if done.returncode or not new:
            raise VendorFailed(f"{described(source)} cannot be used: {cause(done.stderr)}")
        pin = self._pin(source, new[0])
        preferences = self.folder / "preferences.d" / preferences_path(source["name"]).name
        preferences.write_text(preferences_text(source, pin))
        return key_text, pin

    def join_device(self, without: Iterable[str] = ()) -> None:
        """See the device's own sources, preferences and lists too, but not the named vendors' files."""
        hidden = {path(name).name for name in without for path in (sources_path, preferences_path)}
        for here, there in (("sources.list.d", SOURCES), ("preferences.d", PREFERENCES), ("lists", DEVICE_LISTS)):
            for entry in sorted(there.glob("*")):
                mine = self.folder / here / entry.name
                if entry.is_file() and entry.name != "lock" and entry.name not in hidden and not mine.exists():
                    mine.symlink_to(entry)

    def candidates(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that could be installed with what this apt sees."""
        return {name for name in names if not self.trouble([name])}

    def trouble(self, names: Sequence[str]) -> str:
        """Why these packages cannot be installed together, "" when they can."""
        command = ["apt-get", "install", "--simulate", "-q", "--no-install-recommends", "--", *names]
        done = self.run(command, SIMULATION)
        return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()

    def candidate(self, name: str) -> str:
        """The version of the package that this apt would install, "" when there is none."""
        return parse_candidates(self.run(["apt-cache", "policy", "--", name], SIMULATION).stdout).get(name, "")

    def known(self) -> list[str]:
        """Names of all packages that this apt sees."""
        return self.run(["apt-cache", "pkgnames"], SIMULATION).stdout.split()

    def run(self, command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
        """A program of apt with this folder's configuration."""
        program, *arguments = command
        environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        try:
            return subprocess.run(
                [program, "-c", str(self.conf), *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
                env=environment,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", f"E: no answer in {seconds} seconds")

    def _key(self, source: Mapping[str, Any]) -> str:
        """What the vendor publishes as its key, as text. apt trusts the pinned one in it alone."""
        failed = f"{described(source)} cannot be used"
        target = self.folder / "downloads" / source["name"]
        done = self.run([APT_HELPER, "download-file", source["key_url"], str(target)], KEY)
        if done.returncode or not target.is_file():
            raise VendorFailed(f"{failed}: asked for its key at {source['key_url']}, {cause(done.stderr)}")
        if target.stat().st_size > KEY_BYTES:
            raise VendorFailed(f"{failed}: {source['key_url']} is too large for a key")
        found = fingerprints(target, self.folder)
        if found == []:
            raise VendorFailed(f"{failed}: there is no key at {source['key_url']}")
        if found and not set(found) & set(source["fingerprints"]):
            raise VendorFailed(
                f"{described(source)} is not trusted: its key has the fingerprint {', '.join(found)}, "
                f"pinned is {' or '.join(source['fingerprints'])}"
            )
        return armored(target.read_bytes(), f"Managed by ForgeLab. {source['title']}")

    def _pin(self, source: Mapping[str, Any], release: Path) -> str:
        urls = device_urls(without=sources_path(source["name"]).name)
        current = tuple(map(list_prefix, urls))
        there = [file for file in self._releases(DEVICE_LISTS) if file.name.startswith(current)]
        others = [file.read_text(errors="replace") for file in there if file.name != release.name]
        pin = pin_for(release.read_text(errors="replace"), source["url"], others, urls)
        if not pin:
            raise VendorFailed(
                f"{described(source)} cannot be used: its Release file and its host are those of another repository of "
                "this device, so apt could not keep them apart"
            )
        return pin

    @staticmethod
    def _releases(lists: Path) -> list[Path]:
        return [entry for entry in lists.glob("*Release") if entry.name.endswith(RELEASE)]


def device_urls(without: str) -> list[str]:
    """Addresses in the device's package sources, except in the file of this name."""
    files = [Path("/etc/apt/sources.list"), *SOURCES.glob("*.list"), *SOURCES.glob("*.sources")]
    texts = [file.read_text(errors="replace") for file in files if file.is_file() and file.name != without]
    return re.findall(r"^(?!\s*#).*?(\w+:/\S+)", "\n".join(texts), re.M)
