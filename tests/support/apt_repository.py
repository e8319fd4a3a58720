"""A vendor for tests: a small signed apt repository with packages of its own, served from memory to lab devices."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

KEY_PATH = "key.asc"


class SigningKey:
    """A key in a keyring of its own. Keep it in a short path: gpg-agent's socket lies beside it."""

    def __init__(self, user: str = "Vendor of the tests <vendor@example.org>") -> None:
        self.home = Path(tempfile.mkdtemp(prefix="flkey-"))
        self.home.chmod(0o700)
        self._gpg("--passphrase", "", "--quick-generate-key", user, "rsa2048", "sign", "1y")
        listed = self._gpg("--with-colons", "--list-keys").decode()
        self.fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))

    def public(self, armor: bool = True) -> bytes:
        return self._gpg(*(["--armor"] if armor else []), "--export", self.fingerprint)

    def clearsigned(self, text: bytes) -> bytes:
        return self._gpg("--local-user", self.fingerprint, "--clearsign", "--digest-algo", "SHA512", input=text)

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False, capture_output=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def _gpg(self, *arguments: str, input: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--pinentry-mode", "loopback", *arguments]
        done = subprocess.run(command, input=input, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


def deb(
    folder: Path, name: str, version: str, files: Mapping[str, str], depends: str = "", architecture: str = "all"
) -> bytes:
    """A package with these files (path to text; those below `bin` can be run), as the bytes of its .deb."""
    root = Path(tempfile.mkdtemp(dir=folder))
    root.chmod(0o755)
    control = {
        "Package": name, "Version": version, "Architecture": architecture, "Maintainer": "Tests <tests@example.org>",
        "Description": f"{name} as a vendor packs it", **({"Depends": depends} if depends else {}),
    }  # fmt: skip
    texts = {**files, "DEBIAN/control": "".join(f"{key}: {value}\n" for key, value in control.items())}
    for path, text in texts.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if file.parent.name == "bin" else 0o644)
    target = root.with_suffix(".deb")
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", str(root), str(target)], check=True, capture_output=True
    )
    shutil.rmtree(root)
    return target.read_bytes()


class AptRepository:
    """What the server answers with: `files` by path. `publish` signs what `add` brought."""

    def __init__(self, key: SigningKey, origin: str = "vendor.example.org", suite: str = "bookworm") -> None:
        self.key, self.origin, self.suite = key, origin, suite
        self.files: dict[str, bytes] = {KEY_PATH: key.public()}
        self._stanzas: list[str] = []

    def add(self, package: bytes) -> None:
        done = subprocess.run(["dpkg-deb", "--field", "/dev/stdin"], input=package, capture_output=True, check=True)
        control = done.stdout.decode().strip()
        fields = dict(line.split(": ", 1) for line in control.splitlines() if not line.startswith(" "))
        path = f"pool/{fields['Package']}_{fields['Version'].rpartition(':')[2]}_{fields['Architecture']}.deb"
        self.files[path] = package
        digest = hashlib.sha256(package).hexdigest()
        self._stanzas.append(f"{control}\nFilename: {path}\nSize: {len(package)}\nSHA256: {digest}\n")

    def publish(self, *, valid_days: int = 7, signer: SigningKey | None = None) -> None:
        """Write the index again. A negative `valid_days` makes one that has expired."""
        packages = "\n".join(self._stanzas).encode()
        indices = {"main/binary-amd64/Packages": packages, "main/binary-amd64/Packages.gz": gzip.compress(packages)}
        now = datetime.now(UTC)
        lines = [
            f"Origin: {self.origin}", f"Label: {self.origin}", f"Suite: {self.suite}", f"Codename: {self.suite}",
            f"Date: {format_datetime(now - timedelta(days=30), usegmt=True)}",
            f"Valid-Until: {format_datetime(now + timedelta(days=valid_days), usegmt=True)}",
            "Architectures: amd64 all", "Components: main", "SHA256:",
            *(f" {hashlib.sha256(body).hexdigest()} {len(body)} {path}" for path, body in indices.items()),
        ]  # fmt: skip
        release = "\n".join([*lines, ""]).encode()
        for path, body in indices.items():
            self.files[f"dists/{self.suite}/{path}"] = body
        self.files[f"dists/{self.suite}/InRelease"] = (signer or self.key).clearsigned(release)

    @contextmanager
    def served(self, address: str) -> Iterator[str]:
        """Serve on this address; the base URL."""
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = repository.files.get(unquote(self.path).lstrip("/"))
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                """Tests look at devices, not at this."""

        server = ThreadingHTTPServer((address, 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{address}:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
