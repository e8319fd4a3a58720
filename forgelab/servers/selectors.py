"""Reading servers: lists, details, credentials, and where a new one would fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from forgelab.devices.models import Device
from forgelab.devices.placement import Candidate, Needs, Score, rank
from forgelab.recipes.model import Recipe
from forgelab.recipes.problems import ConfigInvalid
from forgelab.recipes.resolve import ResolvedRecipe
from forgelab.runs.models import Run
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.links import known_links
from forgelab.servers.models import Server
from forgelab.servers.resolving import resolved_recipe
from forgelab.servers.sharing import obstacle


def server_list() -> QuerySet[Server]:
    return Server.objects.select_related("device").prefetch_related("components").defer("secrets")


def server_latest_run(server: Server) -> Run | None:
    return Run.objects.filter(subject_id=server.pk).select_related("device").defer("plan").first()


def _resolved(server: Server) -> ResolvedRecipe | None:
    recipe = recipe_catalog().recipes.get(server.server_type)
    try:
        return resolved_recipe(server, recipe, known_links(server, recipe)) if recipe else None
    except ConfigInvalid:  # the recipe allows less than it did when the server was provisioned
        return None


def server_credentials(*, server: Server) -> list[dict[str, Any]]:
    """The credentials in clear, in blocks of labelled fields; empty when the server's recipe is gone or has changed."""
    resolved = _resolved(server)
    return [
        {
            "title": block.title,
            "fields": [
                {"label": field.label, "value": field.value, "secret": field.label in block.secret_fields}
                for field in block.fields
            ],
        }
        for block in (resolved.credentials if resolved else ())
    ]


def server_messages(*, server: Server) -> list[dict[str, str]]:
    """What the recipe has to say once the server is ready."""
    resolved = _resolved(server)
    return [{"title": item.title, "message": item.message} for item in (resolved.messages if resolved else ())]


def placement_rank(*, recipe: Recipe, config: Mapping[str, Any] | None = None, name: str = "") -> list[Score]:
    """Every device with its score for a server of this recipe (and config and name, if known), best first."""
    server = Server(name=name) if name else None
    needs = recipe.requirements
    return rank(
        (_candidate(device, recipe, config, server) for device in Device.objects.prefetch_related("servers")),
        Needs(
            (needs.memory_mb.minimum, needs.memory_mb.recommended),
            (needs.storage_mb.minimum, needs.storage_mb.recommended),
            (needs.cores.minimum, needs.cores.recommended),
        ),
    )


def _candidate(device: Device, recipe: Recipe, config: Mapping[str, Any] | None, server: Server | None) -> Candidate:
    servers = list(device.servers.all())
    return Candidate(
        name=device.name,
        reachable=device.status == Device.Status.REACHABLE,
        distribution=device.distribution,
        memory_total_mb=device.memory_total_mb or 0,
        memory_available_mb=device.memory_available_mb or 0,
        promised_mb=sum(server.memory_mb for server in servers),
        disk_free_mb=device.disk_free_mb or 0,
        disk_kind=device.disk_kind,
        cores=device.cores or 0,
        load_percent=device.load_percent or 0,
        availability_percent=device.availability_percent,
        obstacle=obstacle(servers, recipe, config, server=server),
    )
