"""The admin of servers. What stands on a device is changed by provisioning, so only the record can be removed here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from forgelab.runs.admin import ReadOnlyAdmin
from forgelab.servers.models import Component, Server
from forgelab.servers.removal.decommission import check_forgettable


class ComponentInline(admin.TabularInline):
    model = Component
    fields = readonly_fields = ["position", "name", "title", "version"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Server | None = None) -> bool:
        return False


@admin.register(Server)
class ServerAdmin(ReadOnlyAdmin):
    """A server can be forgotten (its device is not touched), unless a run or another server needs it; everything else
    about it is what a run has made.
    """

    list_display = [
        "name",
        "server_type",
        "environment",
        "device",
        "status",
        "memory_mb",
        "storage_mb",
        "created_at",
        "provisioned_at",
    ]
    list_filter = ["status", "server_type", "device"]
    search_fields = ["name", "server_type", "device__name", "device__address"]
    list_select_related = ["device"]
    hidden = ("secrets",)
    exclude = ["secrets"]
    inlines = [ComponentInline]

    def has_delete_permission(self, request: HttpRequest, obj: Server | None = None) -> bool:
        if not request.user.has_perm("servers.delete_server"):
            return False
        try:
            if obj:
                check_forgettable(obj)
        except ValidationError:
            return False
        return True

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list, dict, set, list]:
        """Components go with their server, though nobody may delete one of them alone."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, needed - {Component._meta.verbose_name}, protected


@admin.register(Component)
class ComponentAdmin(ReadOnlyAdmin):
    list_display = ["title", "version", "name", "server"]
    list_filter = ["name", "version"]
    search_fields = ["title", "name", "version", "server__name"]
    list_select_related = ["server"]
    hidden = ("server__secrets",)
