"""Django's admin pages, for those only whom the policy lets in: being staff is not enough."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from forgelab.accounts.actors import from_request
from forgelab.accounts.policy import may


class OwnersAdminSite(AdminSite):
    """Whoever may change users there could make themselves an owner, so only owners may enter."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and may(from_request(request), "admin.use")
