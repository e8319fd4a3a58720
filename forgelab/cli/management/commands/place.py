"""`forgelab place`: which device suits a server type best, where a set would go, and what if a device were gone."""

from __future__ import annotations

import argparse
import re

from django.core.management.base import CommandParser

from forgelab.cli import lookup, tables
from forgelab.cli.base import Failure, ForgeCommand, console
from forgelab.cli.server import options
from forgelab.devices.placement import Constraint, Placement
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking, sets
from forgelab.servers.placement.set_requests import SetRequest
from forgelab.servers.spec.server_spec import draft

NO_DEVICE = "There is no device yet. Add one: forgelab device add NAME ADDRESS"
WANTED = re.compile(r"(?:(?P<name>[^=*]+)=)?(?P<type>[^=*]+)(?:\*(?P<count>[1-9][0-9]?))?")
EXAMPLES = """\
examples:
  forgelab place laravel-app-server
  forgelab place laravel-app-server shop-db=database-server 'laravel-worker-server*2' --apart shop-db,laravel-app-server
  forgelab place --without homelab-server-02
"""


class Command(ForgeCommand):
    help = "Rank the devices for a server type, place a whole set, or ask what if a device were gone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
        add = parser.add_argument
        add("types", nargs="*", metavar="[NAME=]TYPE[*COUNT]", help="server type, such as laravel-app-server")
        add("--environment", default="", choices=["", *Server.Environment.values], metavar="ENVIRONMENT",
            help=f"of a new server: {', '.join(Server.Environment.values)}")  # fmt: skip
        options.add_set(parser, "an option of the type; may be repeated")
        for kind, help in (("apart", "each on another device"), ("together", "all on one device")):
            add(f"--{kind}", action="append", default=[], metavar="A,B", type=_list, help=f"{help}; may be repeated")
        add("--on", action="append", default=[], metavar="A=DEVICE", type=_pair, help="A on this device")
        add("--not-on", action="append", default=[], metavar="A=DEVICE", type=_pair, help="A on any other device")
        add("--spread", action="store_true", help="rather each on a device of its own")
        add("--without", metavar="DEVICE", help="where would its servers go if it were gone?")
        parser.set_defaults(verb=place)


def place(chosen: argparse.Namespace) -> int | None:
    if chosen.without:
        return _without(chosen)
    if not chosen.types:
        raise Failure("Say what to place, such as: forgelab place laravel-app-server. More: forgelab place --help")
    if len(chosen.types) == 1 and not _constraints(chosen) and _requested(chosen.types[0], chosen).count == 1:
        return _rank(chosen)
    if chosen.options:
        raise Failure("--set is for a single type. Of a set, the defaults of every type are placed.")
    requests = [_requested(text, chosen) for text in chosen.types]
    return _show(sets.set_place(requests=requests, constraints=_constraints(chosen)))


def _rank(chosen: argparse.Namespace) -> None:
    wanted = _requested(chosen.types[0], chosen)
    try:
        recipe = recipe_catalog().get(wanted.server_type)
    except KeyError as error:
        raise Failure(f"{error.args[0]}.") from None
    config = options.config(recipe.id, chosen.options) if chosen.options else None
    spec = draft(recipe, name=wanted.name, environment=wanted.environment, config=config)
    scores = ranking.placement_rank(spec)
    rows = [
        (score.name, f"{score.points}/100" if score.fits else "unfit", "\n".join(score.refusals or score.reasons))
        for score in scores
    ]
    tables.show(("Device", "Score", "Because"), rows, NO_DEVICE)


def _without(chosen: argparse.Namespace) -> int | None:
    if chosen.types or chosen.options or _constraints(chosen):
        raise Failure("--without asks for the servers of one device, and goes with nothing else.")
    found = sets.device_without(device=lookup.device(chosen.without))
    if not found.servers:
        console().print(f"There is no server on {found.device.name}.")
        return None
    console().print(f"If {found.device.name} were gone:\n")
    return _show(found.placement)


def _show(found: Placement) -> int | None:
    """The places as a table, and why some have no place; the exit status is 1 then."""
    rows = [
        (each.name, each.device, f"{each.score.points}/100", "\n".join(each.score.reasons)) for each in found.choices
    ]
    rows += [(each.name, "no place", "", each.reason) for each in found.missing]
    tables.show(("Server", "Device", "Score", "Because"), rows, NO_DEVICE)
    if not found.best and found.complete:
        console().print("Too many possibilities to try them all: this is the best that was found.")
    return None if found.complete else 1


def _requested(text: str, chosen: argparse.Namespace) -> SetRequest:
    match = WANTED.fullmatch(text)
    if not match:
        raise Failure(f'"{text}" is not [NAME=]TYPE[*COUNT], such as laravel-worker-server*2 or shop=database-server.')
    return SetRequest(
        server_type=match["type"], name=match["name"] or "", environment=chosen.environment,
        count=int(match["count"] or 1),
    )  # fmt: skip


def _constraints(chosen: argparse.Namespace) -> list[Constraint]:
    found = [Constraint("apart", names) for names in chosen.apart]
    found += [Constraint("together", names) for names in chosen.together]
    found += [Constraint("on", (name,), device) for name, device in chosen.on]
    found += [Constraint("not_on", (name,), device) for name, device in chosen.not_on]
    return found + ([Constraint("spread", ())] if chosen.spread else [])


def _list(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _pair(text: str) -> tuple[str, str]:
    name, equals, device = text.partition("=")
    if not (name and equals and device):
        raise argparse.ArgumentTypeError(f'"{text}" is not SERVER=DEVICE, such as shop-db=homelab-server-02')
    return name, device
