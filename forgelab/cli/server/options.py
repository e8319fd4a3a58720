"""Options of a server type on the command line: `--set OPTION=VALUE`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.cli.base import Failure
from forgelab.servers.catalog import recipe_catalog


def option(text: str) -> tuple[str, str]:
    """`OPTION=VALUE` as an argument of argparse."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f'"{text}": write it as OPTION=VALUE, such as php_version=8.2')
    return name, value


def config(server_type: str, pairs: list[tuple[str, str]]) -> dict[str, object]:
    """The options given as text, each as the type that its option has; errors are left to the service."""
    recipe = recipe_catalog().recipes.get(server_type)
    options = {option.name: option for option in recipe.options} if recipe else {}
    chosen: dict[str, object] = {}
    for name, value in pairs:
        if name in chosen:
            raise Failure(f"{name} is given twice; once is enough.")
        chosen[name] = options[name].parse(value) if name in options else value
    return chosen


def add_set(parser: CommandParser, help: str) -> None:
    parser.add_argument(
        "--set", action="append", default=[], type=option, metavar="OPTION=VALUE", dest="options", help=help
    )


def add_server(parser: CommandParser) -> None:
    """The server that the verb is about, and how its result is printed."""
    parser.add_argument("server", help="name, id or the beginning of an id")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, and nothing else")


def add_consent(parser: CommandParser) -> None:
    """What a change that may lose something asks for."""
    parser.add_argument("--confirm", default="", metavar="NAME", help="the server's name: it may lose something")
    parser.add_argument(
        "--without-backup", default="", metavar="SENTENCE",
        help="for a database without a backup; the refusal names the sentence",
    )  # fmt: skip
    parser.add_argument("--purge", action="store_true", help="remove packages with their data as well")


def add_no_wait(parser: CommandParser) -> None:
    parser.add_argument("--no-wait", action="store_true", help="only queue the run")
