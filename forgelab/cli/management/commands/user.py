"""`forgelab user`: people who may log in."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts import services
from forgelab.accounts.actors import from_shell
from forgelab.cli.base import ForgeCommand, verbs


class Command(ForgeCommand):
    help = "Make users for the web pages."

    def add_arguments(self, parser: CommandParser) -> None:
        create = verbs(parser)("create", user_create, "Make a user.")
        create.add_argument("name")
        create.add_argument(
            "--password", help="other users of this machine can see it; without it, one is made and shown once"
        )
        create.add_argument(
            "--admin",
            action="store_true",
            help="an owner, who may do everything; others only look (the first user is always an owner)",
        )


def user_create(chosen: argparse.Namespace) -> None:
    password = chosen.password or services.password_generate()
    user = services.user_create(username=chosen.name, password=password, is_admin=chosen.admin, actor=from_shell())
    print(
        f"The user {user.username} is made."
        + ("" if chosen.password else f" The password is {password} (shown only now).")
    )
