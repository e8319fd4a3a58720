"""Devices: adding one by its accepted host keys, pinning others, looking again, removing."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.accounts.actors import Actor, from_request
from forgelab.api.base import StrictSerializer, View, find
from forgelab.api.devices.serializers import DeviceListView, DeviceSerializer, DeviceView
from forgelab.api.errors import Conflict
from forgelab.devices import hostkeys, passwords, services, ssh
from forgelab.devices.add_with_key import device_add_with_key
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.models import Device

FIND_OUT = "GET devices/host-keys?address=...&port=... tells which the machine shows"


class HostKeySerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="Such as ssh-ed25519.")
    fingerprint = serializers.CharField(help_text="As `ssh-keygen -l` prints it.")
    key = serializers.SerializerMethodField(help_text="Kind and base64, as in known_hosts.")

    def get_key(self, key: HostKey) -> str:
        return str(key)


class HostKeysSerializer(serializers.Serializer[Any]):
    """The keys that the machine shows now, and those that are pinned."""

    shown = HostKeySerializer(many=True)
    pinned = HostKeySerializer(many=True)


class WhereSerializer(serializers.Serializer[Any]):
    address = serializers.CharField(max_length=253)
    port = serializers.IntegerField(min_value=1, max_value=65535, default=22)
    jump = serializers.PrimaryKeyRelatedField(queryset=Device.objects.all(), required=False, allow_null=True)


class AcceptedKeysSerializer(StrictSerializer):
    """Host keys accepted by the fingerprints that the machine must show now, or given whole."""

    fingerprints = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=8,
        help_text=f"Those that you accept, such as SHA256:...; {FIND_OUT}. Any other key is refused from then on.",
    )  # fmt: skip
    host_keys = serializers.ListField(
        child=serializers.CharField(max_length=4000), required=False, max_length=8,
        help_text="Instead of fingerprints: whole keys that you know, `ssh-ed25519 AAAA...` each.",
    )  # fmt: skip


class DeviceAddSerializer(AcceptedKeysSerializer):
    """A device to add: with a password used once, with a private key, or with ForgeLab's own key already in place."""

    name = serializers.CharField(max_length=63)
    address = serializers.CharField(max_length=253)
    port = serializers.IntegerField(min_value=1, max_value=65535, default=22)
    user = serializers.CharField(max_length=32, default="root")
    connection = serializers.ChoiceField(
        Device.Connection.choices, default="ssh", help_text="`local`: the machine that ForgeLab runs on."
    )
    jump = serializers.PrimaryKeyRelatedField(
        queryset=Device.objects.all(),
        required=False,
        allow_null=True,
        help_text="The device that it is reached through.",
    )
    password = serializers.CharField(
        required=False, write_only=True, trim_whitespace=False, max_length=1000, style={"input_type": "password"},
        help_text="Used once to put ForgeLab's key in place, for SSH and for sudo; never stored.",
    )  # fmt: skip
    private_key = serializers.CharField(
        required=False, write_only=True, trim_whitespace=False, max_length=50_000,
        help_text="OpenSSH or PEM; stored encrypted. Without it ForgeLab's own key is used.",
    )  # fmt: skip
    passphrase = serializers.CharField(
        required=False, write_only=True, trim_whitespace=False, max_length=1000, style={"input_type": "password"},
        help_text="Of the private key, if it has one; opens it once and is not stored.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "password" in attrs and "private_key" in attrs:
            raise serializers.ValidationError({"password": ["Give a password or a private key, not both."]})
        return attrs


class DevicesView(DeviceListView):
    @extend_schema(operation_id="devices_add", request=DeviceAddSerializer, responses={201: DeviceSerializer})
    @method_decorator(sensitive_variables())
    def post(self, request: Request) -> Response:
        """Add a device. It is logged in to once; where that does not work, nothing is stored."""
        wanted = DeviceAddSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        device = _answered(partial(_add, from_request(request)), dict(wanted.validated_data))
        return Response(DeviceSerializer(device).data, status=201)


class ChangingDeviceView(DeviceView):
    @extend_schema(operation_id="devices_remove", responses={204: None})
    def delete(self, request: Request, key: UUID) -> Response:
        """Forget a device and the record of its runs; nothing on it is changed. 409 while servers are on it."""
        device = find(Device.objects.all(), "device", key)
        try:
            services.device_remove(device=device, actor=from_request(request))
        except ValidationError as error:
            raise Conflict(" ".join(error.messages)) from None
        return Response(status=204)


class RefreshView(View):
    @extend_schema(operation_id="devices_refresh", request=None, responses=DeviceSerializer)
    def post(self, request: Request, key: UUID) -> Response:
        """Look at the device again. Where it cannot be reached, `status` and `status_detail` tell so."""
        device = services.device_refresh(device=find(Device.objects.all(), "device", key), actor=from_request(request))
        return Response(DeviceSerializer(device).data)


class ShownKeysView(View):
    @extend_schema(
        operation_id="host_keys_shown",
        parameters=[
            OpenApiParameter("address", str, required=True, description="IP address or host name."),
            OpenApiParameter("port", int, description="SSH port; 22 by default."),
            OpenApiParameter("jump", UUID, description="The device that it is reached through."),
        ],
        responses=HostKeySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """The host keys that a machine shows now, to be compared with what the machine itself says."""
        where = WhereSerializer(data=request.query_params)
        where.is_valid(raise_exception=True)
        return Response(HostKeySerializer(_shown(**where.validated_data), many=True).data)


class HostKeysView(View):
    @extend_schema(operation_id="devices_host_keys", responses=HostKeysSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """The host keys that the device shows now, beside the pinned ones."""
        device = _by_ssh(key)
        keys = {"shown": _shown_by(device), "pinned": hostkeys.parse(device.host_keys)}
        return Response(HostKeysSerializer(keys).data)

    @extend_schema(operation_id="devices_trust", request=AcceptedKeysSerializer, responses=DeviceSerializer)
    def post(self, request: Request, key: UUID) -> Response:
        """Pin other host keys, on purpose: from now on no other key is accepted."""
        wanted = AcceptedKeysSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        device = _by_ssh(key)
        keys = _accepted(dict(wanted.validated_data), lambda: _shown_by(device))
        services.device_trust(device=device, host_keys=keys, actor=from_request(request))
        return Response(DeviceSerializer(device).data)


@sensitive_variables()
def _add(actor: Actor, wanted: dict[str, Any]) -> Device:
    place = {name: wanted.get(name) for name in ("name", "address", "port", "user", "jump")}
    if wanted["connection"] == Device.Connection.LOCAL:
        return services.device_add(**place, host_keys=[], connection=Device.Connection.LOCAL, actor=actor)
    keys = _accepted(wanted, lambda: _shown(wanted["address"], wanted["port"], wanted.get("jump")))
    if "password" in wanted:
        return passwords.device_add_with_password(**place, host_keys=keys, password=wanted["password"], actor=actor)
    chosen = {name: wanted.get(name, "") for name in ("private_key", "passphrase")}
    return device_add_with_key(**place, host_keys=keys, **chosen, actor=actor)


def _accepted(wanted: dict[str, Any], shown: Any) -> list[HostKey]:
    """The keys that were given, or of those that the machine shows the accepted ones. Raises `ValidationError`."""
    if wanted.get("host_keys") and wanted.get("fingerprints"):
        raise serializers.ValidationError({"host_keys": ["Give host keys or fingerprints, not both."]})
    if texts := wanted.get("host_keys"):
        keys = hostkeys.parse("\n".join(texts))
        if len(keys) < len(set(texts)):
            raise serializers.ValidationError({"host_keys": ["Give keys such as ssh-ed25519 AAAA..., one in each."]})
        return keys
    accepted = {text.rstrip("=") for text in wanted.get("fingerprints", [])}
    if not accepted:
        raise serializers.ValidationError({"fingerprints": [f"Give the fingerprints that you accept: {FIND_OUT}."]})
    keys = shown()
    if missing := accepted - {key.fingerprint for key in keys}:
        others = ", ".join(key.fingerprint for key in keys)
        sentence = f"The machine shows no host key {', '.join(sorted(missing))}, but {others}. Is it another machine?"
        raise serializers.ValidationError({"fingerprints": [sentence]})
    return [key for key in keys if key.fingerprint in accepted]


def _shown(address: str, port: int, jump: Device | None = None) -> list[HostKey]:
    return _answered(lambda _: hostkeys.scan(address, port, jump=jump), None)


def _shown_by(device: Device) -> list[HostKey]:
    return _shown(device.address, device.port, device.jump)


def _answered(work: Any, argument: Any) -> Any:
    """What the machine said; that it said nothing, or the wrong thing, is no mistake in the request."""
    try:
        return work(argument)
    except (hostkeys.HostKeyError, ssh.DeviceUnreachable) as error:
        raise Conflict(str(error)) from None


def _by_ssh(key: UUID) -> Device:
    device = find(Device.objects.select_related("jump"), "device", key)
    if device.connection != Device.Connection.SSH:
        raise Conflict(f"{device.name} is the machine that ForgeLab runs on: it is reached without SSH and host keys.")
    return device
