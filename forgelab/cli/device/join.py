"""`forgelab device join`: a command for the machine, and waiting until it has joined."""

from __future__ import annotations

import argparse
import sys
import time

from django.conf import settings
from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.accounts.models import User
from forgelab.cli.base import Failure
from forgelab.cli.stack.state import Stack, data_dir
from forgelab.devices import fingerprints, join_tokens
from forgelab.devices.identities import identity_default
from forgelab.devices.join_tokens import NotReachable, Outcome
from forgelab.devices.models import JoinToken
from forgelab.lib import public_url

HELP = "Print a command that lets a machine join by itself, and wait for the machine."
INTERVAL = 1.0  # seconds between two looks


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--name", default="", help="name of the device (default: the machine's own host name)")
    parser.add_argument("--no-wait", action="store_true", help="print the command and end")
    parser.add_argument("--as", dest="as_user", metavar="USER", help="who lets it join (default: the first admin)")


def run(chosen: argparse.Namespace) -> int:
    url = _base_url()
    token, text = join_tokens.token_create(user=_user(chosen.as_user), name=chosen.name, actor=from_shell())
    key = fingerprints.parse(identity_default().public_key)[0].fingerprint
    print(f"Run this on the machine, once, within {settings.JOIN_MINUTES} minutes:", file=sys.stderr)
    print(join_tokens.command(url, text), flush=True)
    print(f"It prints the fingerprint of ForgeLab's key, which is {key}", file=sys.stderr)
    if chosen.no_wait:
        return 0
    print("Waiting for the machine. Ctrl-C stops only the waiting.", file=sys.stderr, flush=True)
    outcome = _wait(token)
    if outcome.device is None:
        raise Failure(outcome.sentence)
    print(outcome.sentence)
    for pinned in fingerprints.parse(outcome.device.host_keys):
        print(f"Its host key: {pinned.fingerprint}  {pinned.kind}")
    return 0


def _base_url() -> str:
    state = Stack(data_dir()).read()
    if state is None and not settings.PUBLIC_URL:
        raise Failure(
            f"ForgeLab does not run, so no machine could call it. Start it with: {public_url.restart_command('')}"
        )
    try:
        return join_tokens.base_url(listening=state.url if state else "")
    except NotReachable as error:
        raise Failure(str(error)) from None


def _user(name: str | None) -> User:
    people = User.objects.filter(is_active=True).order_by("-is_superuser", "pk")
    user = people.filter(username=name).first() if name else people.first()
    if user is None:
        wanted = f'user "{name}"' if name else "user"
        raise Failure(f"There is no {wanted}. Make one: forgelab user create {name or 'admin'}")
    return user


def _wait(token: JoinToken) -> Outcome:
    said = ""
    while True:
        outcome = join_tokens.outcome(JoinToken.objects.select_related("device").get(pk=token.pk))
        if outcome.is_over:
            return outcome
        if outcome.state == "joining" and outcome.sentence != said:
            said = outcome.sentence
            print(said, file=sys.stderr, flush=True)
        time.sleep(INTERVAL)
