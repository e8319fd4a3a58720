"""`forgelab token create`."""

from __future__ import annotations

import argparse
import sys

from django.core.management.base import CommandParser

from forgelab.accounts import services
from forgelab.accounts.actors import from_shell
from forgelab.accounts.models import User
from forgelab.cli.base import Failure

HELP = "Make a token with which a user's programs may use the API."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("name", help="the user's name")
    parser.add_argument("--days", type=int, help="how long it is valid (default: until it is deleted)")


def run(chosen: argparse.Namespace) -> None:
    user = User.objects.filter(username=chosen.name, is_active=True).first()
    if user is None:
        raise Failure(f'There is no user "{chosen.name}". Make one: forgelab user create {chosen.name}')
    if chosen.days is not None and chosen.days < 1:
        raise Failure(f"--days {chosen.days}: give 1 or more.")
    print(f'A token of {user.username}, shown only now. Send it as "Authorization: Token ..."', file=sys.stderr)
    print(services.token_create(user=user, days=chosen.days, actor=from_shell()))
