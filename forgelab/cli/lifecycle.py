"""The verbs of `forgelab server` for a server that is there: plan, set, drift, decommission."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from forgelab.accounts.actors import from_shell
from forgelab.cli import follow, lookup, plans, success
from forgelab.cli.base import Failure, console
from forgelab.cli.drawing import Snapshot
from forgelab.runs import selectors as runs
from forgelab.runs.models import Run
from forgelab.servers import selectors
from forgelab.servers.changes import drift, dry_run
from forgelab.servers.changes.reports import drift_sentence, plan_result
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.servers.removal import decommission

CANCELLED = 130
LEAVING = "its services go on running there, its configuration and data stay, and its passwords are forgotten here"


def option(text: str) -> tuple[str, str]:
    """`OPTION=VALUE` as an argument of argparse."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f'"{text}": write it as OPTION=VALUE, such as php_version=8.2')
    return name, value


def config(server_type: str, pairs: list[tuple[str, str]]) -> dict[str, object]:
    """The options given as text, each as the type that its option has; what is wrong is left to the service to tell."""
    recipe = selectors.recipe_catalog().recipes.get(server_type)
    options = {option.name: option for option in recipe.options} if recipe else {}
    chosen: dict[str, object] = {}
    for name, value in pairs:
        if name in chosen:
            raise Failure(f"{name} is given twice; once is enough.")
        chosen[name] = options[name].parse(value) if name in options else value
    return chosen


def add_verbs(verb: Callable[..., Any], ended: Callable[[Snapshot, argparse.Namespace], int]) -> None:
    """Add them; `ended` tells how a provisioning came to its end."""
    plan = verb("plan", server_plan, "Show what provisioning a server would change on its device, changing nothing.")
    plan.add_argument("--set", action="append", default=[], type=option, metavar="OPTION=VALUE", dest="options",
                      help="as if this option were so; may be repeated")  # fmt: skip
    change = verb("set", lambda chosen: server_set(chosen, ended), "Change options of a server and apply them.")
    looking = verb("drift", server_drift, "Look whether a server's device is still as planned.")
    looking.add_argument("--watch", choices=("on", "off"), help="only say whether to look every day from now on")
    down = verb("decommission", server_decommission, "Take a server down: services stopped, configuration removed.")
    for sub in (plan, change, looking, down):
        sub.add_argument("server", help="name, id or the beginning of an id")
        sub.add_argument("--json", action="store_true", help="print the result as JSON, and nothing else")
    change.add_argument("options", nargs="+", type=option, metavar="OPTION=VALUE", help="the options to change")
    change.add_argument("--hide-credentials", action="store_true", help="do not print passwords at the end")
    for sub in (change, down):
        sub.add_argument("--confirm", default="", metavar="NAME", help="the server's name: it may lose something")
        sub.add_argument("--without-backup", default="", metavar="SENTENCE",
                         help="for a database without a backup; the refusal tells which sentence")  # fmt: skip
        sub.add_argument("--purge", action="store_true", help="remove packages with their data as well")
    for sub in (plan, change, down):
        sub.add_argument("--no-wait", action="store_true", help="only queue the run")
    down.add_argument("--forget", action="store_true", help=f"do not touch the device (it is gone): {LEAVING}")


def server_plan(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    run = dry_run.server_check(server=server, changes=config(server.server_type, chosen.options), actor=from_shell())
    if chosen.no_wait:
        return _queued(run, chosen.json)
    result = _looked(run, chosen.json)
    if result and not chosen.json and result["count"]:
        pairs = " ".join(f"{name}={value}" for name, value in chosen.options)
        apply = f"set {server.name} {pairs}" if pairs else f"provision {server.server_type} --name {server.name}"
        console().print(f"To apply it: forgelab server {apply}")
    return 0


def server_drift(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    if chosen.watch:
        drift.server_watch(server=server, watch=chosen.watch == "on", actor=from_shell())
        print(f"{server.name} is looked at {'every day' if chosen.watch == 'on' else 'only when you ask'} from now on.")
        return 0
    result = _looked(dry_run.server_check(server=server, actor=from_shell()), chosen.json)
    if not chosen.json:
        console().print(drift_sentence(Server.objects.get(pk=server.pk)))
    return 1 if result["count"] else 0


def _looked(run: Run, as_json: bool) -> dict[str, Any]:
    """Wait for a plan and show it. Raises `Failure` when it could not be made."""
    if not as_json:
        console().print(f"{run.title} on {run.device.name} (run {lookup.short(run.pk)})\n")
    snapshot = follow.follow(run.pk, cancel_on_interrupt=True, silent=as_json)
    result = plan_result(run=Run.objects.get(pk=snapshot["id"]))
    if as_json:
        print(json.dumps({"run": snapshot, "plan": result}, indent=2))
    if snapshot["status"] != "succeeded":
        raise Failure(success.failure(snapshot))
    if not as_json:
        print()
        plans.show(result)
    return result


def server_set(chosen: argparse.Namespace, ended: Callable[[Snapshot, argparse.Namespace], int]) -> int:
    server = lookup.server(chosen.server)
    run = services.server_change(
        server=server,
        changes=config(server.server_type, chosen.options),
        confirm=chosen.confirm,
        without_backup=chosen.without_backup,
        purge=chosen.purge,
        actor=from_shell(),
    )
    if chosen.no_wait:
        return _queued(run, chosen.json)
    if not chosen.json:
        console().print(f"Changing {server.name} on {run.device.name} (run {lookup.short(run.pk)})\n")
    return ended(follow.follow(run.pk, cancel_on_interrupt=True, silent=chosen.json), chosen)


def server_decommission(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    if chosen.forget:
        decommission.server_forget(server=server, confirm=chosen.confirm, actor=from_shell())
        print(f"{server.name} is forgotten. Nothing on {server.device.name} was touched: {LEAVING}.")
        return 0
    run = decommission.server_decommission(
        server=server,
        confirm=chosen.confirm,
        without_backup=chosen.without_backup,
        purge=chosen.purge,
        actor=from_shell(),
    )
    if chosen.no_wait:
        return _queued(run, chosen.json)
    snapshot = follow.follow(run.pk, cancel_on_interrupt=True, silent=chosen.json)
    if chosen.json:
        print(json.dumps({"run": snapshot}, indent=2))
    if snapshot["status"] == "cancelled":
        return CANCELLED
    if snapshot["status"] != "succeeded":
        raise Failure(success.failure(snapshot))
    if not chosen.json:
        kept = "" if chosen.purge else " Packages and data are still there."
        console().print(f"{server.name} is taken down; {server.device.name} is free for another server.{kept}")
    return 0


def _queued(run: Run, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"run": runs.run_snapshot(run_id=run.pk)}, indent=2))
        return 0
    short = lookup.short(run.pk)
    print(f"{run.title} is queued as run {short}. Follow it: forgelab run watch {short}")
    follow.check_worker(run.pk)
    return 0
