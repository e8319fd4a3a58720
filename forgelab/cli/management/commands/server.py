"""`forgelab server`: provisioning servers and looking at them."""

from __future__ import annotations

import argparse
import json

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import backups, follow, lifecycle, lookup, success, tables
from forgelab.cli.base import Failure, ForgeCommand, console, verbs
from forgelab.cli.drawing import Snapshot
from forgelab.recipes.placeholders import as_text
from forgelab.runs import selectors as runs
from forgelab.servers import selectors
from forgelab.servers.changes.reports import drift_sentence
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.servers.provisioning.checks import changed_config

CANCELLED = 130


class Command(ForgeCommand):
    help = "Provision servers, list and show them and their credentials."

    def add_arguments(self, parser: CommandParser) -> None:
        verb = verbs(parser)
        provision = verb("provision", server_provision, "Provision a server, or provision it again.")
        provision.add_argument("type", metavar="TYPE", help="server type, such as laravel-app-server")
        provision.add_argument("--name", required=True, help="its name: lowercase letters, digits and hyphens")
        provision.add_argument(
            "--device", default="best", help="name or id of a device; best (the default) chooses one"
        )
        provision.add_argument(
            "--environment", default="", metavar="ENVIRONMENT",
            help=f"{', '.join(Server.Environment.values)}; by default what the name says",
        )  # fmt: skip
        provision.add_argument(
            "--set",
            action="append",
            default=[],
            type=lifecycle.option,
            metavar="OPTION=VALUE",
            dest="options",
            help="an option of the type; may be repeated",
        )
        provision.add_argument("--json", action="store_true", help="print the result as JSON, and nothing else")
        provision.add_argument("--no-wait", action="store_true", help="only queue the run")
        provision.add_argument("--hide-credentials", action="store_true", help="do not print passwords at the end")
        verb("list", server_list, "List all servers.")
        lifecycle.add_verbs(verb, _ended)
        show = verb("show", server_show, "Show one server.")
        credentials = verb("credentials", server_credentials, "Show a server's credentials in clear.")
        for sub in (show, credentials):
            sub.add_argument("server", help="name, id or the beginning of an id")
            sub.add_argument("--json", action="store_true", help="print it as JSON")
        backups.add_verbs(verb)


def server_provision(chosen: argparse.Namespace) -> int:
    device = None if chosen.device == "best" else lookup.device(chosen.device)
    run = services.server_provision(
        server_type=chosen.type,
        name=chosen.name,
        device=device,
        config=_config(chosen),
        environment=chosen.environment,
        actor=from_shell(),
    )
    if chosen.no_wait:
        return _queued(runs.run_snapshot(run_id=run.pk), chosen.json)
    if not chosen.json:
        console().print(f"Provisioning {chosen.name} on {run.device.name} (run {lookup.short(run.pk)})\n")
    snapshot = follow.follow(run.pk, cancel_on_interrupt=True, silent=chosen.json)
    return _ended(snapshot, chosen)


def _config(chosen: argparse.Namespace) -> dict[str, object]:
    """The options given; a server that is there already keeps the others as they are."""
    given = lifecycle.config(chosen.type, chosen.options)
    server = Server.objects.filter(name=chosen.name, server_type=chosen.type).first()
    recipe = selectors.recipe_catalog().recipes.get(chosen.type)
    return changed_config(server, recipe, given) if server and recipe else given


def _queued(snapshot: Snapshot, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"run": snapshot}, indent=2))
        return 0
    short = lookup.short(snapshot["id"])
    print(f"{snapshot['title']} is queued as run {short}. Follow it: forgelab run watch {short}")
    follow.check_worker(snapshot["id"])
    return 0


def _ended(snapshot: Snapshot, chosen: argparse.Namespace) -> int:
    succeeded = snapshot["status"] == "succeeded"
    server = Server.objects.select_related("device").get(pk=snapshot["subject_id"])
    if chosen.json:
        print(json.dumps({"run": snapshot, "server": _server_data(server)}, indent=2))
    elif succeeded:
        success.success(server, hide_credentials=chosen.hide_credentials)
    if succeeded:
        return 0
    if snapshot["status"] == "cancelled":
        again = f"forgelab server provision {server.server_type} --name {server.name}"
        print(f"Cancelled. Provision again at any time: {again}")
        return CANCELLED
    raise Failure(success.failure(snapshot))


def server_list(chosen: argparse.Namespace) -> None:
    rows = [
        (
            server.name, server.server_type, server.device.name,
            tables.status(server.status, server.get_status_display()), _remark(server),
            ", ".join(str(component) for component in server.components.all()),
        )
        for server in selectors.server_list()
    ]  # fmt: skip
    empty = "There is no server yet. Provision one: forgelab server provision laravel-app-server --name NAME"
    tables.show(("Name", "Type", "Device", "Status", "Remark", "Components"), rows, empty)


def _remark(server: Server) -> str:
    """What a list has room for, of what is not as it should be."""
    if server.status_detail:
        return "the latest run did not succeed"
    return f"{server.drift_count} difference{'s' * (server.drift_count != 1)}" if server.drift_count else ""


def _server_data(server: Server) -> dict[str, object]:
    return {
        "id": str(server.pk),
        "name": server.name,
        "server_type": server.server_type,
        "environment": server.environment,
        "status": server.status,
        "status_detail": server.status_detail,
        "drift": {
            "count": server.drift_count,
            "since": server.drift_since and server.drift_since.isoformat(),
            "checked_at": server.drift_checked_at and server.drift_checked_at.isoformat(),
            "watch": server.drift_watch,
        },
        "device": {"id": str(server.device_id), "name": server.device.name, "address": server.device.address},
        "config": server.config,
        "placement": server.placement,
        "memory_mb": server.memory_mb,
        "storage_mb": server.storage_mb,
        "components": [{"name": c.name, "title": c.title, "version": c.version} for c in server.components.all()],
    }


def server_show(chosen: argparse.Namespace) -> None:
    server = lookup.server(chosen.server)
    if chosen.json:
        print(json.dumps(_server_data(server), indent=2))
        return
    run = selectors.server_latest_run(server)
    tables.pairs(
        [
            ("Name", server.name), ("Id", server.pk), ("Type", server.server_type),
            ("Environment", server.get_environment_display()),
            ("Status", server.get_status_display()), ("Because", server.status_detail),
            ("Drift", drift_sentence(server)), ("Device", f"{server.device.name} ({server.device.address})"),
            ("Placement", _placement(server)), ("Provisioned", tables.ago(server.provisioned_at)),
            ("Latest run", f"{lookup.short(run.pk)} {run.get_status_display().lower()}" if run else None),
            *(("Component", component) for component in server.components.all()),
            *(("Option", f"{name} = {as_text(value)}") for name, value in server.config.items()),
        ]
    )  # fmt: skip


def _placement(server: Server) -> str:
    """Why it is where it is, as it was when the device was chosen."""
    known = server.placement
    if "points" not in known:
        return ""
    how = "recommended" if known.get("automatic") else "chosen"
    return f"score {known['points']}/100, {how}: {'; '.join(known.get('reasons', []))}"


def server_credentials(chosen: argparse.Namespace) -> None:
    server = lookup.server(chosen.server)
    if chosen.json:
        print(json.dumps(selectors.server_credentials(server=server), indent=2))
        return
    lines = success.credential_lines(server)
    console().print("\n".join(lines).strip() or f"{server.name} has no credentials.")
