"""The admin of runs: a record, so nothing in it can be changed. Plans hold secrets and are never shown."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from forgelab.accounts.admin_audit import AuditedAdmin
from forgelab.lib.paging import BoundedPaginator
from forgelab.runs.models import DeviceLock, Event, Run, Step


class ReadOnlyAdmin(AuditedAdmin):
    """Lists and shows, but adds, changes and deletes nothing. `hidden` are the fields that are not even read."""

    hidden: tuple[str, ...] = ()
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer(*self.hidden)


class StepInline(admin.TabularInline):
    model = Step
    fields = readonly_fields = ["position", "role", "title", "status", "seconds", "changed", "detail"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["title", "kind", "device", "status", "requested_by", "created_at", "started_at", "finished_at"]
    list_filter = ["status", "kind", "device"]
    search_fields = ["title", "device__name", "status_detail"]
    list_select_related = ["device", "requested_by"]
    date_hierarchy = "created_at"
    hidden = ("plan",)
    exclude = ["plan"]
    inlines = [StepInline]


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    list_display = ["title", "run", "position", "role", "status", "seconds", "changed"]
    list_filter = ["status", "changed"]
    search_fields = ["title", "role", "run__title", "detail"]
    list_select_related = ["run"]
    ordering = ["-id"]
    hidden = ("run__plan",)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["id", "run", "counter", "kind", "role", "task", "host", "changed", "failed", "seconds"]
    list_filter = ["failed", "changed"]
    search_fields = ["=task", "=role"]
    search_help_text = "The exact name of a task or a role."
    list_select_related = ["run"]
    ordering = ["-id"]
    paginator = BoundedPaginator
    hidden = ("run__plan", "stdout", "result")


@admin.register(DeviceLock)
class DeviceLockAdmin(ReadOnlyAdmin):
    list_display = ["device", "run", "acquired_at"]
    search_fields = ["device__name", "run__title"]
    list_select_related = ["device", "run"]
    hidden = ("run__plan",)
