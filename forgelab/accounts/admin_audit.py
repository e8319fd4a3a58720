"""What is changed on Django's admin pages is recorded like everything else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from forgelab.accounts import audit
from forgelab.accounts.actors import from_request

CHANGED = "changed"  # of what a form does not give by its name, such as a password


class AuditedAdmin(ModelAdmin):
    """Writes an audit entry in the transaction of every addition, change and deletion."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        changed = form.changed_data
        request.audit_before = {name: form.initial.get(name) for name in changed}  # type: ignore[attr-defined]
        request.audit_after = {name: form.cleaned_data.get(name, CHANGED) for name in changed}  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, "admin.add", obj, after=getattr(request, "audit_after", {}))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        sides = {side: getattr(request, f"audit_{side}", {}) for side in ("before", "after")}
        self._record(request, "admin.change", obj, **sides)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        rows = list(queryset)
        for obj in rows:
            self._record(request, "admin.delete", obj)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, action: str, obj: Model, **sides: Any) -> None:
        with transaction.atomic():  # deleting several at once has no transaction of its own
            audit.record(actor=from_request(request), action=action, obj=self.audited(obj), **sides)

    def audited(self, obj: Any) -> Any:
        """The row under the id and the name that the audit may keep."""
        return obj
