"""Every service that takes an actor, found in the rooms, and what each can be called with."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from forgelab.accounts.models import User
from forgelab.devices.hostkeys import HostKey
from forgelab.runs.models import Run
from forgelab.servers.changes.plans import checked_plan
from forgelab.servers.spec.requests import find_recipe
from forgelab.servers.spec.server_spec import with_recipe
from tests import factories

ROOMS = ("accounts", "devices", "runs", "servers", "databases")
# They do a part of what the service above them has asked the policy for and recorded.
PARTS = {"run_create", "run_repeat", "first_user_ensure", "record"}
KEYS = [HostKey("ssh-ed25519", "AAAA")]
PLACE: dict[str, Any] = {"name": "attic", "address": "192.168.1.7", "host_keys": KEYS}
Rows = dict[str, Any]

ARGUMENTS: dict[str, Callable[[Rows], dict[str, Any]]] = {
    "accounts.services.user_create": lambda rows: {"username": "eve", "password": "correct horse battery"},
    "accounts.services.token_create": lambda rows: {"user": User.objects.first()},
    "devices.services.device_add": lambda rows: PLACE,
    "devices.services.device_refresh": lambda rows: {"device": rows["device"]},
    "devices.services.device_trust": lambda rows: {"device": rows["device"], "host_keys": KEYS},
    "devices.services.device_remove": lambda rows: {"device": rows["spare"]},
    "devices.update.device_update": lambda rows: {"device": rows["device"], "sleeps": True},
    "devices.identities.identity_add": lambda rows: {"name": "mine", "private_key": rows["private_key"]},
    "devices.add_with_key.device_add_with_key": lambda rows: PLACE | {"private_key": rows["private_key"]},
    "devices.passwords.device_add_with_password": lambda rows: PLACE | {"user": "ada", "password": "s3cret word"},
    "devices.join_tokens.token_create": lambda rows: {"user": User.objects.first()},
    "runs.services.run_cancel": lambda rows: {"run": factories.run(rows["device"], Run.Status.RUNNING)},
    "servers.provisioning.services.server_provision": lambda rows: {
        "server_type": "cache-server", "name": "cache", "device": rows["spare"], "config": {},
    },
    "servers.provisioning.services.server_change": lambda rows: {"server": rows["server"], "changes": {}},
    "servers.provisioning.services.server_apply": lambda rows: {"run": _plan(rows)},
    "servers.changes.dry_run.server_plan": lambda rows: {"server": rows["server"]},
    "servers.changes.drift.server_drift_check": lambda rows: {"server": rows["server"]},
    "servers.changes.drift.server_daily_check": lambda rows: {"server": rows["server"], "enabled": False},
    "servers.removal.decommission.server_decommission": lambda rows: {
        "server": rows["cache"], "confirm": rows["cache"].name,
    },
    "servers.removal.decommission.server_forget": lambda rows: {
        "server": rows["server"], "confirm": rows["server"].name,
    },
    "servers.credentials.server_reveal_credentials": lambda rows: {"server": rows["server"]},
    "servers.export.export_project": lambda rows: {"directory": rows["folder"]},
    "databases.backups.backup_create": lambda rows: {"server": rows["server"]},
    "databases.backups.backup_refresh": lambda rows: {"server": rows["server"]},
    "databases.backups.backup_restore": lambda rows: {
        "server": rows["server"], "database": "shop", "confirm": rows["server"].name,
    },
}  # fmt: skip
# Where the action has another name than the service.
ACTION = {
    "devices.add_with_key.device_add_with_key": "device.add",
    "devices.passwords.device_add_with_password": "device.add",
    "devices.join_tokens.token_create": "join_token.create",
    "servers.export.export_project": "server.export",
}


def _plan(rows: Rows) -> Run:
    config = rows["server"].config
    plan = checked_plan(with_recipe(rows["server"], find_recipe(rows["server"].server_type)))
    return factories.run(
        rows["device"], Run.Status.SUCCEEDED, server=rows["server"], kind="server.plan", plan=plan.to_json(),
        request={"config": config, "base": config, "gone": []},
    )  # fmt: skip


def action_of(name: str) -> str:
    """`server_provision` does "server.provision"."""
    return ACTION.get(name, name.rpartition(".")[2].replace("_", ".", 1))


def found() -> dict[str, Callable[..., Any]]:
    """Every public function of a room with a keyword `actor: Actor`, by its path below `forgelab`."""
    return dict(pair for room in ROOMS for module in _modules(room) for pair in _services(module))


def _modules(room: str) -> Iterator[Any]:
    package = importlib.import_module(f"forgelab.{room}")
    yield package
    for info in pkgutil.walk_packages([str(Path(settings.BASE_DIR) / "forgelab" / room)], f"forgelab.{room}."):
        if ".migrations" not in info.name:
            yield importlib.import_module(info.name)


def _services(module: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ != module.__name__ or name.startswith("_") or name in PARTS:
            continue
        parameter = inspect.signature(function).parameters.get("actor")
        if parameter and parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.annotation == "Actor":
            yield f"{module.__name__.removeprefix('forgelab.')}.{name}", function
