"""The `forgelab` command. Django is only imported for the commands that need it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from forgelab.cli import help as helping

USAGE = 2  # exit status for a command that cannot be understood
INTERRUPTED = 130  # as a shell reports it: 128 + SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 failed, 2 misunderstood, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `forgelab run list | head` is no error
        return 0


def _dispatch(arguments: list[str]) -> int:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if command in ("-h", "--help") or (command == "help" and not rest):
        print(helping.text(), end="")
        return 0
    if command in ("-V", "--version"):
        from forgelab import __version__

        print(f"forgelab {__version__}")
        return 0
    if command == "help":
        return _dispatch([rest[0], "--help"])
    return _run(command, rest)


def _run(command: str, rest: list[str]) -> int:
    if command == "lab":
        from forgelab.lab import cli

        return cli.main(rest)
    if command == "up":
        from forgelab.cli.stack import up

        return up.main(rest)
    if command in ("down", "status"):
        from forgelab.cli.stack import down

        return down.down(rest) if command == "down" else down.status(rest)
    return _django(command, rest)


def _django(command: str, rest: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forgelab.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line, get_commands

    try:
        django.setup()
        known = get_commands()
    except (ImproperlyConfigured, OSError) as error:
        print(f"forgelab: {error}", file=sys.stderr)
        return 1
    if command not in known:
        print(f"forgelab: {helping.unknown(command, known)}", file=sys.stderr)
        return USAGE
    try:
        execute_from_command_line(["forgelab", command, *rest])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    return 0


if __name__ == "__main__":
    sys.exit(main())
