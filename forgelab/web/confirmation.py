"""What a person types and ticks before something is removed for good."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from forgelab.servers.models import Server
from forgelab.servers.removal import safety


def confirmation(request: HttpRequest) -> dict[str, Any]:
    """The typed name, the typed sentence and the tick, as keywords of the services that ask for them."""
    return {
        "confirm": request.POST.get("confirm", "").strip(),
        "without_backup": request.POST.get("without_backup", "").strip(),
        "purge": "purge" in request.POST,
    }


def confirmation_context(request: HttpRequest, server: Server) -> dict[str, Any]:
    """What the template `servers/_confirm.html` needs."""
    return {
        "typed": confirmation(request),
        "without_backup_sentence": safety.without_backup_sentence(server),
        "has_backup": safety.has_fresh_backup(server),
        "confirming": "confirm" in request.POST,
    }
