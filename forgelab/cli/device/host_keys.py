"""Accepting host keys: by a fingerprint given, by a yes in the terminal, or by an option that accepts what is there."""

from __future__ import annotations

import argparse
import sys

from django.core.management.base import CommandParser

from forgelab.cli.base import Failure
from forgelab.devices import hostkeys
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.models import Device

SHOW_KEY = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"


def add_arguments(parser: CommandParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--fingerprint", metavar="SHA256:...", help="accept the host key with this fingerprint only")
    how.add_argument("--accept-key", action="store_true", help="accept whatever host keys the device shows now")


def accepted(address: str, port: int, chosen: argparse.Namespace, jump: Device | None = None) -> list[HostKey]:
    """The host keys that the user accepts. Raises `Failure` when there is none, `HostKeyError` when nothing answers."""
    shown = hostkeys.scan(address, port, jump=jump)
    if chosen.fingerprint:
        return _matching(shown, chosen.fingerprint, address)
    print(f"{address} shows {'this host key' if len(shown) == 1 else 'these host keys'}:", file=sys.stderr)
    for key in shown:
        print(f"  {key.fingerprint}  {key.kind}", file=sys.stderr)
    if not chosen.accept_key:
        _ask()
    return shown


def _matching(shown: list[HostKey], fingerprint: str, address: str) -> list[HostKey]:
    wanted = fingerprint if fingerprint.startswith("SHA256:") else f"SHA256:{fingerprint}"
    matching = [key for key in shown if key.fingerprint == wanted.rstrip("=")]
    if not matching:
        others = ", ".join(key.fingerprint for key in shown)
        raise Failure(
            f"{address} shows no host key {wanted}, but {others}. It may be another machine: nothing was done."
        )
    return matching


def _ask() -> None:
    if not sys.stdin.isatty():
        raise Failure(
            "Nobody is here to compare fingerprints. Give the right one with --fingerprint SHA256:... (on the device, "
            f"`{SHOW_KEY}` prints it), or accept what is shown with --accept-key."
        )
    print(f"Compare with what the device itself says: {SHOW_KEY}", file=sys.stderr)
    print("Is this your device? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failure("The host key was not accepted, so nothing was done.")
