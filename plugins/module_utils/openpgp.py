"""Public keys known by their fingerprint, read without gpg, which not every device has (RFC 9580)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

PUBLIC_KEY, SIGNATURE, USER_ID, SUBKEY, USER_ATTRIBUTE = 6, 2, 13, 14, 17
PARTS = (SIGNATURE, USER_ID, SUBKEY, USER_ATTRIBUTE)
ARMOR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+: [^\r\n]*\r?\n)*\s*(.*?)-----END PGP PUBLIC KEY BLOCK-----",
    re.S,
)
LINE = 64


class KeyUnreadable(ValueError):
    """These bytes are no OpenPGP keys; the text is the rest of a sentence."""


def public_keys(data: bytes) -> dict[str, bytes]:
    """Every primary key in a keyring, armored or not: its fingerprint in capitals, and its packets.

    Whether subkeys belong to it is not checked here: apt's verifier does, which is what uses them.
    Raises KeyUnreadable.
    """
    found: dict[str, bytes] = {}
    current = ""
    for tag, packet, body in _packets(_binary(data)):
        if tag == PUBLIC_KEY:
            current = fingerprint(body)
            found[current] = packet
        elif tag in PARTS and current:
            found[current] += packet
    if not found:
        raise KeyUnreadable("it holds no public key")
    return found


def fingerprint(body: bytes) -> str:
    """The fingerprint of a key packet's body, of version 4 or 6."""
    if body[:1] == b"\x04":
        return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest().upper()  # noqa: S324
    if body[:1] == b"\x06":
        return hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest().upper()
    raise KeyUnreadable(f"its version {body[0] if body else 'none'} is not understood")


def armored(packets: bytes, comment: str) -> str:
    """The packets as the text block that apt reads from a file named `.asc`."""
    text = base64.b64encode(packets).decode("ascii")
    lines = [text[start : start + LINE] for start in range(0, len(text), LINE)]
    checksum = base64.b64encode(_crc24(packets).to_bytes(3, "big")).decode("ascii")
    head, foot = (f"-----{word} PGP PUBLIC KEY BLOCK-----" for word in ("BEGIN", "END"))
    return "\n".join([head, f"Comment: {comment}", "", *lines, f"={checksum}", foot, ""])


def _binary(data: bytes) -> bytes:
    blocks = ARMOR.findall(data)
    if not blocks:
        return data
    try:
        # A line that starts with an equals sign is the checksum.
        texts = [b"".join(line for line in block.split() if not line.startswith(b"=")) for block in blocks]
        return b"".join(base64.b64decode(text, validate=True) for text in texts)
    except binascii.Error as error:
        raise KeyUnreadable(f"its armor is damaged ({error})") from None


def _packets(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(tag, whole packet, body) of each packet."""
    at = 0
    while at < len(data):
        tag, header, length = _header(data[at : at + 6])
        end = at + header + length
        if end > len(data):
            raise KeyUnreadable("it is cut off")
        yield tag, data[at:end], data[at + header : end]
        at = end


def _header(start: bytes) -> tuple[int, int, int]:
    """(tag, length of the header, length of the body) of the packet that starts with these bytes."""
    first, rest = start[0], start[1:]
    if not first & 0x80 or not rest:
        raise KeyUnreadable("it is no OpenPGP key")
    if not first & 0x40:
        size = (1, 2, 4, 0)[first & 3]
        if not size or len(rest) < size:
            raise KeyUnreadable("it is no OpenPGP key")
        return first >> 2 & 0x0F, 1 + size, int.from_bytes(rest[:size], "big")
    tag = first & 0x3F
    if rest[0] < 192:
        return tag, 2, rest[0]
    if rest[0] < 224 and len(rest) > 1:
        return tag, 3, (rest[0] - 192 << 8) + rest[1] + 192
    if rest[0] == 255 and len(rest) > 4:
        return tag, 6, int.from_bytes(rest[1:5], "big")
    raise KeyUnreadable("it is no OpenPGP key")


def _crc24(data: bytes) -> int:
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc & 0xFFFFFF
