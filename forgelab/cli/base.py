"""What ForgeLab's management commands share: verbs, errors as sentences, exit statuses."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console

from forgelab.devices.hostkeys import HostKeyError
from forgelab.devices.ssh import DeviceUnreachable
from forgelab.lib.encryption import DecryptionError

SHOWN_AS_SENTENCES = (
    CommandError, DeviceUnreachable, HostKeyError, DecryptionError, ImproperlyConfigured, PermissionDenied, OSError,
)  # fmt: skip
DJANGO_OPTIONS = {
    "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color",
    "--skip-checks",
}  # fmt: skip
CANCELLED = 130  # the exit status for what was cancelled: 128 + SIGINT
Verb = Callable[[argparse.Namespace], int | None]


class Failure(CommandError):
    """The command could not do what it was asked. The message is for the user."""


class ForgeCommand(BaseCommand):
    """A command that prints its errors as sentences on stderr and ends with 1, or 2 when it was misunderstood."""

    requires_system_checks: Sequence[str] = []
    suppressed_base_arguments = DJANGO_OPTIONS

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser("forgelab", subcommand, **kwargs)

    def run_from_argv(self, argv: list[str]) -> None:
        self._called_from_command_line = True
        parser = self.create_parser(argv[0], argv[1])
        chosen = parser.parse_args(argv[2:])
        logging.getLogger().setLevel(logging.WARNING)  # what a command does it says itself
        logging.getLogger("forgelab.recipes").setLevel(logging.ERROR)  # `forgelab recipes check` lists them
        logging.getLogger("kombu.connection").setLevel(logging.ERROR)  # it warns that a folder has no host name
        if chosen.traceback:
            sys.exit(self.perform(chosen) or 0)
        try:
            status = self.perform(chosen)
        except (*SHOWN_AS_SENTENCES, ValidationError, DatabaseError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            print(f"forgelab: {sentence(error)}", file=sys.stderr)
            status = 1
        sys.exit(status or 0)

    def perform(self, chosen: argparse.Namespace) -> int | None:
        """Do it; the exit status, None for 0."""
        verb: Verb = chosen.verb
        return verb(chosen)

    def handle(self, *args: Any, **options: Any) -> str | None:
        status = self.perform(argparse.Namespace(**options))
        if status:
            raise CommandError("It failed.", returncode=status)
        return None


class VerbCommand(ForgeCommand):
    """A command of several verbs. Each is a module named after it, with `HELP`, `add_arguments` and `run`."""

    verbs: Sequence[ModuleType] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_subparsers(required=True, metavar="VERB")
        for module in self.verbs:
            name = module.__name__.rpartition(".")[2].replace("_", "-")
            verb = group.add_parser(name, help=module.HELP, description=module.HELP)
            module.add_arguments(verb)
            verb.set_defaults(verb=module.run)


def console(stream: Any = None) -> Console:
    """Where to print: as wide as it must be when nobody looks, so that no line is broken inside a value."""
    stream = stream or sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else 500
    return Console(file=stream, width=width, highlight=False, soft_wrap=True, markup=False)


def sentence(error: Exception) -> str:
    """The message for the user about an error."""
    if isinstance(error, ValidationError):
        return validation_text(error)
    if isinstance(error, DatabaseError):
        return _database_text(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    return str(error)


def validation_text(error: ValidationError) -> str:
    """Field by field, one a line."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    lines = [f"{field}: {message}" for field, messages in error.message_dict.items() for message in messages]
    return "\n  ".join(line.removeprefix("__all__: ") for line in lines)


def _database_text(error: DatabaseError) -> str:
    text = str(error).strip().splitlines()[0]
    missing = ("no such table", "no such column", "does not exist", "has no column")
    if any(word in text for word in missing):
        return "The database is not set up for this version of ForgeLab. Run `forgelab up`, or only `forgelab migrate`."
    return f"The database cannot be used: {text}. See DATABASE_URL, or start ForgeLab with `forgelab up`."
