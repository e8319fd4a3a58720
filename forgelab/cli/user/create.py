"""`forgelab user create`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts import services
from forgelab.accounts.actors import from_shell

HELP = "Make a user."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("name")
    parser.add_argument(
        "--password", help="other users of this machine can see it; without it, one is made and shown once"
    )
    parser.add_argument(
        "--admin",
        action="store_true",
        help="an owner, who may do everything; others only look (the first user is always an owner)",
    )


def run(chosen: argparse.Namespace) -> None:
    password = chosen.password or services.password_generate()
    user = services.user_create(username=chosen.name, password=password, is_admin=chosen.admin, actor=from_shell())
    print(
        f"The user {user.username} is made."
        + ("" if chosen.password else f" The password is {password} (shown only now).")
    )
