"""Where this machine's own apt, pip and npm get their packages: read at run time, never written down here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .errors import LabError

APT_FILES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
URL = re.compile(r"https?://[^\s'\"\]\\]+")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PIP_DEFAULTS = (
    "from pip._internal.models.index import PyPI as p; print(f'https://{p.netloc} https://{p.file_storage_domain}')"
)


@dataclass
class Registries:
    """`apt`: (URI, suite's suffix) pairs of Debian archives; the others are URLs; `default_pip`: pip's own hosts."""

    apt: list[tuple[str, str]] = field(default_factory=list)
    pip_index: str = ""
    pip_extra: list[str] = field(default_factory=list)
    default_pip: list[str] = field(default_factory=list)
    npm: str = ""

    def endpoints(self) -> list[str]:
        """`host:port` of everything a guest may reach, sorted."""
        urls = [uri for uri, _ in self.apt] + [self.pip_index, self.npm, *self.pip_extra, *self.default_pip]
        return sorted({endpoint(url) for url in urls if url})

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))
        path.chmod(0o600)

    @classmethod
    def load(cls, path: Path) -> Registries:
        values = json.loads(path.read_text())
        values["apt"] = [tuple(pair) for pair in values["apt"]]
        return cls(**values)


def read_registries() -> Registries:
    """What this machine's apt, pip and npm are set up for; a client that is not installed contributes nothing."""
    python = _python_with_pip()
    index, extra = pip_urls(_output(python, "-m", "pip", "config", "list"))
    npm = _output("npm", "config", "get", "registry").strip()
    return Registries(
        apt=debian_archives(),
        pip_index=index,
        pip_extra=extra,
        default_pip=[] if index else URL.findall(_output(python, "-c", PIP_DEFAULTS)),
        npm=npm if URL.fullmatch(npm) else "",
    )


def endpoint(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def debian_archives() -> list[tuple[str, str]]:
    """Debian archives of this machine's apt, or the one named by FORGELAB_LAB_MIRROR.

    Raises LabError on a machine whose apt knows no Debian archive.
    """
    mirror = os.environ.get("FORGELAB_LAB_MIRROR")
    if mirror:
        return [(mirror, ""), (mirror, "updates")]
    for path in APT_FILES:
        archives = parse_apt(path.read_text(errors="replace")) if path.exists() else []
        if archives:
            return archives
    raise LabError(
        "This machine's apt knows no Debian archive to build images from. "
        "Name one: export FORGELAB_LAB_MIRROR=http://MIRROR/debian"
    )


def parse_apt(text: str) -> list[tuple[str, str]]:
    """(URI, suffix) pairs of a `.sources` or `.list` text (sources.list(5)); suffix is '', 'updates' or 'security'."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found: list[tuple[str, str]] = []
    for uris, suites in _deb822("\n".join(lines)) + _one_line(lines):
        for uri in uris:
            for suite in suites:
                suffix = suite.partition("-")[2]
                # A vendor's repository may use Debian's suite names; only an archive's path speaks of Debian.
                if "debian" in urlsplit(uri).path and suffix in ("", "updates", "security"):
                    found.append((uri, suffix))
    return list(dict.fromkeys(found))


def sources_for(archives: list[tuple[str, str]], suite: str) -> str:
    """A deb822 `.sources` text for a suite such as `trixie`, from the archives this machine uses."""
    by_uri: dict[str, list[str]] = {}
    for uri, suffix in archives:
        by_uri.setdefault(uri, []).append(f"{suite}-{suffix}" if suffix else suite)
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {' '.join(suites)}\nComponents: main\nSigned-By: {KEYRING}\n"
        for uri, suites in by_uri.items()
    )


def pip_urls(listing: str) -> tuple[str, list[str]]:
    """The index and the extra indices in the output of `pip config list`; the environment's win over files' ones."""
    index, extra = "", []
    for line in sorted(listing.splitlines(), key=lambda text: text.startswith(":env:")):
        key, _, value = line.partition("=")
        if key.endswith(".index-url"):
            index = " ".join(URL.findall(value)[:1])
        elif key.endswith(".extra-index-url"):
            extra += URL.findall(value)
    return index, list(dict.fromkeys(extra))


def _deb822(text: str) -> list[tuple[list[str], list[str]]]:
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        fields = {key.lower(): value.split() for key, value in re.findall(r"(?m)^([\w-]+):\s*(.*)$", paragraph)}
        if "deb" in fields.get("types", []) and fields.get("enabled") != ["no"]:
            found.append((fields.get("uris", []), fields.get("suites", [])))
    return found


def _one_line(lines: list[str]) -> list[tuple[list[str], list[str]]]:
    matches = (re.match(r"deb\s+(?:\[[^]]*\]\s+)?(https?://\S+)\s+(\S+)\s+\S", line) for line in lines)
    return [([match[1]], [match[2]]) for match in matches if match]


def _python_with_pip() -> str:
    candidates = [sys.executable, shutil.which("python3") or sys.executable, "/usr/bin/python3"]
    return next((python for python in candidates if _output(python, "-c", "import pip; print(1)")), sys.executable)


def _output(*argv: str) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    except OSError:
        return ""
