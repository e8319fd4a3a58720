"""Where this installation keeps its data, and the keys it makes for itself in embedded mode."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

KEYS_FILE = "instance.env"


def default_data_dir() -> Path:
    """`$XDG_DATA_HOME/forgelab`, as the XDG base directory specification has it."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "forgelab"


def load_or_create_keys(data_dir: Path) -> dict[str, str]:
    """Read `instance.env` in `data_dir`, making it at the first start.

    Returns `SECRET_KEY` and `FORGELAB_ENCRYPTION_KEYS`. The file is created with mode 0600 and in one step
    (a temporary file, then a link), so that two processes starting together agree on one key.

    Raises `OSError` when the folder cannot be written.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / KEYS_FILE
    if not path.exists():
        _create(path)
    lines = (line.partition("=") for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in lines}


def _create(path: Path) -> None:
    text = (
        "# Made by ForgeLab at its first start. Anybody who has this file can read every stored credential:\n"
        "# keep it private, and keep a copy, since without it the credentials are lost.\n"
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"FORGELAB_ENCRYPTION_KEYS={Fernet.generate_key().decode()}\n"
    )
    # Not named after the pid: in a container every start has the same one, and a killed start may leave its file.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        try:
            os.link(temporary, path)  # unlike rename, this refuses to replace a key that another process just made
        except FileExistsError:
            return
        _sync(path.parent)
    finally:
        temporary.unlink()


def _sync(folder: Path) -> None:
    """Without it a power cut may take back the new name, and with it the key of all that was encrypted since."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
