"""Finding what the user named: by name, id, or the beginning of an id that only one has."""

from __future__ import annotations

import difflib
import re
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from forgelab.cli.base import Failure
from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.runs.selectors import run_list
from forgelab.servers.models import Server
from forgelab.servers.selectors import server_list

M = TypeVar("M", bound=Model)
SHORT = 8  # characters of an id that are shown


def device(text: str) -> Device:
    return _named(Device.objects.select_related("identity", "jump"), text, "device", "forgelab device list")


def server(text: str) -> Server:
    return _named(server_list(), text, "server", "forgelab server list")


def run(text: str) -> Run:
    return _by_id(run_list(), text, "run") or _missing("run", text, "forgelab run list", [])


def short(key: Any) -> str:
    return str(key)[:SHORT]


def _named(rows: QuerySet[M], text: str, kind: str, listing: str) -> M:
    found = rows.filter(name=text).first() or _by_id(rows, text, kind)
    return found or _missing(kind, text, listing, list(rows.values_list("name", flat=True)))


def _by_id(rows: QuerySet[M], text: str, kind: str) -> M | None:
    """UUIDs are ordered like their digits, so those with a prefix are a range, on every database."""
    digits = text.lower().replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        return None
    lowest, highest = (UUID(digits.ljust(32, fill)) for fill in "0f")
    found = list(rows.filter(pk__gte=lowest, pk__lte=highest)[:2])
    if len(found) > 1:
        raise Failure(f'More than one {kind} has an id that begins with "{text}". Give more of it.')
    return found[0] if found else None


def _missing(kind: str, text: str, listing: str, names: list[str]) -> Any:
    close = difflib.get_close_matches(text, names, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    raise Failure(f'There is no {kind} "{text}".{hint} All of them: {listing}')
