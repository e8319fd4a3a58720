"""Reading servers: lists, details, credentials."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.resolve import ResolvedRecipe
from forgelab.runs.models import Run
from forgelab.servers.models import Server
from forgelab.servers.spec.links import known_links
from forgelab.servers.spec.server_spec import recorded


def server_list() -> QuerySet[Server]:
    return Server.objects.select_related("device").prefetch_related("components").defer("secrets")


def server_latest_run(server: Server) -> Run | None:
    return Run.objects.of(server).select_related("device").defer("plan").first()


def _resolved(server: Server) -> ResolvedRecipe | None:
    spec = recorded(server)
    try:
        return spec.resolved(known_links(spec)) if spec else None
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
