"""Keys of package repositories: what gpg says of them, and the text in which apt reads them (runs on the device).

That only the pinned key is trusted is apt's own work: the source names its fingerprint beside the file with the key
(`Signed-By`, sources.list(5)). Not every device has gpg; where one has it, a wrong key is named before the index is
read.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

BEGIN, END = (f"-----{word} PGP PUBLIC KEY BLOCK-----" for word in ("BEGIN", "END"))
LINE = 64
SECONDS = 20


def fingerprints(keys: Path, home: Path) -> list[str] | None:
    """Fingerprints of the primary keys in a file, armored or not; None where there is no gpg to ask.

    `home` is a folder that gpg may write to. A file that holds no key has none.
    """
    if not shutil.which("gpg"):
        return None
    command = ["gpg", "--homedir", str(home), "--batch", "--no-options", "--show-keys", "--with-colons", str(keys)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return []
    found: list[str] = []
    record = ""
    for fields in (line.split(":") for line in done.stdout.decode(errors="replace").splitlines()):
        if fields[0] in ("pub", "sub"):
            record = fields[0]
        elif fields[0] == "fpr" and record == "pub":
            found.append(fields[9])
    return found


def armored(keys: bytes, comment: str) -> str:
    """Keys as the text that apt reads from a file named `.asc`. What is text already keeps its blocks."""
    head = f"{BEGIN}\nComment: {comment}\n"
    if BEGIN.encode() in keys:
        return keys.decode("ascii", "replace").replace("\r\n", "\n").replace(f"{BEGIN}\n", head)
    text = base64.b64encode(keys).decode("ascii")
    checksum = base64.b64encode(_crc24(keys).to_bytes(3, "big")).decode("ascii")  # gpg before 2.4 reads none without it
    return "\n".join([head, *(text[at : at + LINE] for at in range(0, len(text), LINE)), f"={checksum}", END, ""])


def _crc24(data: bytes) -> int:
    """The checksum of armor (RFC 9580, 6.1)."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc & 0xFFFFFF
