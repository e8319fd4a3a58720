"""The paths of the API, below /api/v1/. None ends with a slash."""

from __future__ import annotations

from django.urls import include, path, re_path

from forgelab.api.schema import SchemaView
from forgelab.api.views import nothing_here

RESOURCES = (
    "provision", "servers", "plans", "backups", "server_types", "placement",
    "devices", "host_keys", "join_tokens", "metrics", "runs", "audit",
)  # fmt: skip

app_name = "api"
urlpatterns = [
    *(path("", include(f"forgelab.api.{resource}.urls")) for resource in RESOURCES),
    path("schema", SchemaView.as_view(), name="schema"),
    re_path(r"^(?P<path>[\s\S]*)$", nothing_here),  # a path may hold a newline
]
