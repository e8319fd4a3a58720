"""Every URL of ForgeLab with something to put into it, and the database as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from forgelab.api.permissions import action_of
from tests import factories

UNTOUCHED = {"sessions.Session", "accounts.AuditEntry"}  # a request may write these

NOWHERE = {"slug": "nowhere", "uuid": uuid4(), "int": 999_999, "str": "nowhere"}


@dataclass(frozen=True)
class Url:
    """`name` is empty for the API's answer to any other path. `view` is the API's view class, None for a page."""

    path: str
    name: str
    callback: Any
    view: Any

    def at(self, rows: dict[str, Any] | None = None) -> str:
        """Its address with one of `rows` in it; without them, one that leads to nothing."""
        noun = next((noun for noun in rows or {} if f"{noun}s/<" in self.path), None)
        row = (rows or {}).get(noun or "")

        def value(match: re.Match[str]) -> str:
            kind, name = match.groups()
            if rows and name == "server_type":
                return factories.TYPE
            return str({"slug": getattr(row, "name", None), "uuid": row.pk}[kind] if row else NOWHERE[kind])

        return "/" + re.sub(r"<(\w+):(\w+)>", value, self.path).replace("^(?P<path>.*)$", "nowhere")

    def action(self, method: str) -> str:
        return action_of(self.view, method)


def urls() -> list[Url]:
    """All but Django's admin pages, which have a policy of their own (tests/test_admin.py)."""
    return [url for url in _walk(get_resolver().url_patterns, "") if not url.path.startswith("admin/")]


def _walk(patterns: list[Any], before: str) -> Iterator[Url]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", None)
            yield Url(path, pattern.name or "", pattern.callback, view() if view else None)


def database() -> dict[str, list[Any]]:
    """Every row of ForgeLab, but for sessions and the audit."""
    models = [model for model in apps.get_models() if model._meta.label not in UNTOUCHED]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}


def homelab() -> dict[str, object]:
    """A device, its server and a run, by the names of the parameters in addresses."""
    device = factories.device("homelab-server-02")
    server = factories.server(device)
    run = factories.run(device, "running", server=server)
    return {"device": device, "server": server, "run": run}
