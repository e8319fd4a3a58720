"""Django's admin pages, for those only whom the policy lets in: being staff is not enough."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from forgelab.accounts import audit
from forgelab.accounts.actors import from_request
from forgelab.accounts.policy import may

FOUND = 302


class OwnersAdminSite(AdminSite):
    """Whoever may change users there could make themselves an owner, so only owners may enter."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and may(from_request(request), "admin.use")

    @transaction.atomic
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A redirect says that the person's own password is another one now."""
        response = super().password_change(request, extra_context)
        if response.status_code == FOUND:
            user = from_request(request).user
            audit.record(actor=from_request(request), action="admin.change", obj=user, after={"password": "changed"})
        return response
