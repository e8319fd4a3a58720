"""Programs that check their own configuration, with secrets kept out of what they say (runs on the device)."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence

TIMEOUT_SECONDS = 60
MASK = "********"
SHORTEST_SECRET = 6


class ValidationFailed(Exception):
    """A program refused its configuration; the text is a sentence for the user."""


def masked(output: str, secrets: Sequence[str]) -> str:
    """`output` without any line or word of the texts in `secrets` (their comments are no secret)."""
    lines = {line.strip() for text in secrets for line in text.splitlines()}
    lines = {line for line in lines if line and not line.startswith(("#", ";", "//"))}
    words = {word for line in lines for word in re.split(r"[\s\"'=:;,]+", line)}
    for secret in sorted(lines | words, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            output = output.replace(secret, MASK)
    return output


def validate(commands: Sequence[str], secrets: Sequence[str] = ()) -> None:
    """Run each command without a shell. Raises ValidationFailed with the output of the first that does not succeed."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    for command in commands:
        try:
            done = subprocess.run(
                shlex.split(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=environment,
                cwd="/",
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise ValidationFailed(
                f"The new configuration cannot be checked: `{command}` is not on this device. "
                "Install the package it belongs to."
            ) from None
        except subprocess.TimeoutExpired:
            raise ValidationFailed(f"`{command}` gave no answer in {TIMEOUT_SECONDS} seconds.") from None
        if done.returncode:
            raise ValidationFailed(
                f"`{command}` refused the new configuration (exit status {done.returncode}):\n"
                f"{masked(done.stdout, secrets).strip()}\n"
            )
