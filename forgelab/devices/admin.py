"""The admin of devices and of the keys that open them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from forgelab.accounts.admin_audit import AuditedAdmin
from forgelab.devices import hostkeys
from forgelab.devices.models import Device, Identity, JoinToken, Sample
from forgelab.lib.paging import BoundedPaginator


@admin.register(Identity)
class IdentityAdmin(AuditedAdmin):
    """Keys are added where their public half is derived (web, command line), never typed in here."""

    list_display = ["name", "key_type", "device_count", "created_at"]
    search_fields = ["name", "public_key"]
    fields = ["name", "public_key", "created_at"]
    readonly_fields = ["public_key", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Identity]:
        return super().get_queryset(request).defer("private_key").annotate(devices_opened=Count("devices"))

    @admin.display(description="Type")
    def key_type(self, identity: Identity) -> str:
        return identity.public_key.split(" ", 1)[0]

    @admin.display(description="Devices", ordering="devices_opened")
    def device_count(self, identity: Identity) -> int:
        return identity.devices_opened


@admin.register(Device)
class DeviceAdmin(AuditedAdmin):
    """What a person decided can be corrected here. Devices are added where their host key is shown and accepted, and
    removed where the reason for a refusal is shown (the web page, `forgelab device remove`)."""

    list_display = [
        "name", "address", "status", "memory_available_mb", "memory_total_mb", "cores", "load_percent",
        "disk_free_mb", "distribution", "distribution_version", "seen_at",
    ]  # fmt: skip
    list_filter = ["status", "sleeps", "disk_kind", "architecture", "distribution", "distribution_version"]
    search_fields = ["name", "address", "model"]
    list_select_related = ["identity"]
    decided = ["name", "address", "port", "user", "identity", "jump", "sleeps", "mac_address"]
    observed = [
        "status", "status_detail", "seen_at", "memory_total_mb", "memory_available_mb", "cores", "load_percent",
        "disk_total_mb", "disk_free_mb", "disk_kind", "architecture", "distribution", "distribution_version",
        "distribution_release", "model", "virtualisation", "disks", "listening",
        "temperature_celsius", "uptime_seconds", "misses", "availability_percent", "created_at",
    ]  # fmt: skip
    readonly_fields = ["connection", "fingerprints", *observed]
    fieldsets = [
        (None, {"fields": [*decided, "connection", "fingerprints"]}),
        ("What the device said", {"fields": observed}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        return super().get_queryset(request).defer("identity__private_key")

    @admin.display(description="Pinned host keys")
    def fingerprints(self, device: Device) -> SafeString:
        keys = hostkeys.parse(device.host_keys)
        return format_html_join("\n", "<div>{} {}</div>", ((key.kind, key.fingerprint) for key in keys))


@admin.register(JoinToken)
class JoinTokenAdmin(AuditedAdmin):
    """Who let which machine join, and the result. Deleting one that is still open takes the permission back."""

    list_display = ["created_at", "created_by", "name", "expires_at", "used_at", "device", "failure"]
    list_filter = ["created_by"]
    search_fields = ["name", "device__name", "failure"]
    list_select_related = ["created_by", "device"]
    fields = ["name", "created_by", "created_at", "expires_at", "used_at", "device", "failure"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: JoinToken | None = None) -> bool:
        return False


@admin.register(Sample)
class SampleAdmin(AuditedAdmin):
    """What devices measured: a record, which goes with its device."""

    list_display = [
        "at", "device", "span", "asked", "answered", "load_percent", "memory_available_mb", "disk_free_mb",
        "temperature_celsius",
    ]  # fmt: skip
    list_filter = ["span", "device"]
    list_select_related = ["device"]
    ordering = ["-id"]
    paginator = BoundedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Sample | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Sample | None = None) -> bool:
        return False
