"""Who did what."""

from __future__ import annotations

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.accounts import audit, selectors
from forgelab.accounts.models import AuditEntry
from forgelab.api.filters import OneOfFilter
from forgelab.api.views import ListView


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """One thing that somebody did. `before` and `after` hold only what changed; secrets are masked."""

    class Meta:
        model = AuditEntry
        fields = [
            "id", "at", "actor_kind", "actor", "origin", "action", "object_type", "object_id", "object_name",
            "before", "after",
        ]  # fmt: skip
        read_only_fields = fields


class AuditFilterSet(django_filters.FilterSet):
    actor = django_filters.CharFilter(method="by_actor", help_text="As shown, or a user's name (tokens included).")
    action = OneOfFilter(choices=sorted(audit.titles().items()))
    object = django_filters.CharFilter(method="by_object", help_text="Name or id of what it was done to.")

    def by_actor(self, entries: Any, name: str, value: str) -> Any:
        return entries & selectors.audit_list(actor=value)

    def by_object(self, entries: Any, name: str, value: str) -> Any:
        return entries & selectors.audit_list(obj=value)


class AuditListView(ListView):
    actions = {"GET": "audit.view"}
    queryset = selectors.audit_list()
    serializer_class = AuditEntrySerializer
    filterset_class = AuditFilterSet
    ordering = "-id"

    @extend_schema(operation_id="audit_list")
    def get(self, request: Request) -> Response:
        """Everything that was done, newest first. Only owners see it."""
        return self.list(request)
