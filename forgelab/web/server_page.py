"""What a server's page shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from forgelab.databases import backups
from forgelab.recipes import lists
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import LISTS, hidden
from forgelab.runs.models import Run
from forgelab.servers import selectors
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.changes.reports import drift_sentence
from forgelab.servers.models import Server
from forgelab.web.errors import UNPROCESSABLE
from forgelab.web.forms.backups import RestoreForm

Blocks = list[dict[str, Any]]
SHOWN = 20  # backups; the older ones are folded away


def server_page(
    request: HttpRequest,
    server: Server,
    template: str = "web/servers/detail.html",
    *,
    revealed: Blocks | None = None,
    restore: RestoreForm | None = None,
) -> HttpResponse:
    """The page; `revealed` are credentials in clear, `restore` is a form that was refused."""
    recipe = recipe_catalog().recipes.get(server.server_type)
    context = {
        "server": server,
        "recipe": recipe,
        "options": _options(server, recipe) if recipe else [],
        "credentials": covered_credentials(server) if revealed is None else revealed,
        "revealed": revealed is not None,
        "notes": selectors.server_messages(server=server),
        "drift": drift_sentence(server),
        "runs": Run.objects.of(server).select_related("device").defer("plan")[:10],
        "backups": _backups(server, restore),
    }
    return render(request, template, context, status=UNPROCESSABLE if restore else 200)


def covered_credentials(server: Server) -> Blocks:
    """The credentials without their secret values: what is not in the page cannot be read over a shoulder or cached."""
    blocks = selectors.server_credentials(server=server)
    for field in (field for block in blocks for field in block["fields"] if field["secret"]):
        field["value"] = ""
    return blocks


def _options(server: Server, recipe: Recipe) -> list[tuple[str, object]]:
    """What was chosen, by label, as far as it applies: no MySQL version where PostgreSQL was chosen."""
    config = server.config
    unseen = {option.name for option in hidden(recipe.options, {o.name: o.initial for o in recipe.options} | config)}
    shown = [option for option in recipe.options if option.name in config and option.name not in unseen]
    return [(o.label, lists.joined(config[o.name]) if o.kind in LISTS else config[o.name]) for o in shown]


def _backups(server: Server, restore: RestoreForm | None) -> dict[str, Any]:
    """Nothing for a server without backups. Only a verified backup of a database can be restored."""
    if not backups.has_backups(server):
        return {}
    known, read_at = backups.backups_known(server)
    return {
        "newest": known.backups[:SHOWN],
        "older": known.backups[SHOWN:],
        "last": known.complete,
        "timer": known.timer or {},
        "read_at": read_at,
        "restore": restore or restore_form(server),
    }


def restore_form(server: Server, data: Any = None) -> RestoreForm:
    """The form to choose a backup, as it was sent where `data` is given."""
    known, _ = backups.backups_known(server)
    sound = [backup for backup in known.backups if backup.verified and backup.is_database]
    return RestoreForm(data, server=server, backups=sound)
