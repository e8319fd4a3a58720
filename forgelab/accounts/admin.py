"""The admin of people, and the record of what was done, which nobody can change."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from knox.models import get_token_model

from forgelab.accounts.actors import SHOWN_OF_TOKEN
from forgelab.accounts.admin_audit import AuditedAdmin
from forgelab.accounts.models import AuditEntry, User

admin.site.unregister(Group)  # the policy knows none
admin.site.unregister(get_token_model())  # knox's own page records nothing


@admin.register(get_token_model())
class TokenAdmin(AuditedAdmin):
    """Tokens are made where they are shown once (`forgelab token create`), and taken back here."""

    list_display = fields = ["user", "token_key", "created", "expiry"]
    readonly_fields = fields
    list_filter = ["user"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def audited(self, obj: Any) -> Any:
        """Its id is its digest."""
        known = copy(obj)
        known.digest = obj.token_key[:SHOWN_OF_TOKEN]
        return known


@admin.register(User)
class PersonAdmin(AuditedAdmin, UserAdmin):
    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "groups"]
    search_fields = ["username", "email", "first_name", "last_name"]


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    list_display = ["at", "actor", "actor_kind", "origin", "action", "object_type", "object_name"]
    list_filter = ["actor_kind", "action", "object_type"]
    search_fields = ["actor", "object_name", "origin"]
    date_hierarchy = "at"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False
