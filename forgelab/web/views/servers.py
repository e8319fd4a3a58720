"""Servers: the list, one server, its credentials when asked for, and the success page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from forgelab.recipes import lists
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import LISTS, hidden
from forgelab.runs.models import Run
from forgelab.servers import selectors
from forgelab.servers.changes.reports import drift_sentence
from forgelab.servers.models import Server
from forgelab.web.views import backups

Blocks = list[dict[str, Any]]


@login_required
@require_GET
def server_list(request: HttpRequest) -> HttpResponse:
    context = {"servers": selectors.server_list(), "recipes": selectors.recipe_catalog().recipes}
    return render(request, "web/servers/list.html", context)


@login_required
@require_GET
@never_cache
def detail(request: HttpRequest, name: str) -> HttpResponse:
    server = _server(name)
    return render(request, "web/servers/detail.html", _context(server, _covered(server)))


@login_required
@require_GET
@never_cache
def ready(request: HttpRequest, name: str) -> HttpResponse:
    """Step 5: what stands now and how to go on."""
    server = _server(name)
    return render(request, "web/servers/ready.html", _context(server, _covered(server)))


@login_required
@require_POST
@never_cache
def credentials(request: HttpRequest, name: str) -> HttpResponse:
    """The secrets in clear: as JSON for the page's Show and Copy, as a page for browsers without JavaScript."""
    server = _server(name)
    blocks = selectors.server_credentials(server=server)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"values": [field["value"] for block in blocks for field in block["fields"]]})
    return render(request, "web/servers/detail.html", _context(server, blocks) | {"revealed": True})


def _server(name: str) -> Server:
    return get_object_or_404(Server.objects.select_related("device").prefetch_related("components"), name=name)


def _covered(server: Server) -> Blocks:
    """The credentials without their secret values: what is not in the page cannot be read over a shoulder or cached."""
    blocks = selectors.server_credentials(server=server)
    for field in (field for block in blocks for field in block["fields"] if field["secret"]):
        field["value"] = ""
    return blocks


def _context(server: Server, blocks: Blocks) -> dict[str, object]:
    recipe = selectors.recipe_catalog().recipes.get(server.server_type)
    return {
        "server": server,
        "recipe": recipe,
        "options": _options(server, recipe) if recipe else [],
        "credentials": blocks,
        "notes": selectors.server_messages(server=server),
        "drift": drift_sentence(server),
        "runs": Run.objects.filter(subject_id=server.pk).select_related("device").defer("plan")[:10],
        **backups.context(server),
    }


def _options(server: Server, recipe: Recipe) -> list[tuple[str, object]]:
    """What was chosen, by label, as far as it applies: no MySQL version where PostgreSQL was chosen."""
    config = server.config
    unseen = {option.name for option in hidden(recipe.options, {o.name: o.initial for o in recipe.options} | config)}
    shown = [option for option in recipe.options if option.name in config and option.name not in unseen]
    return [(o.label, lists.joined(config[o.name]) if o.kind in LISTS else config[o.name]) for o in shown]
