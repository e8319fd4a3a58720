"""A device to add: with a password used once, with a private key, or with ForgeLab's own key already in place."""

from __future__ import annotations

from typing import Any

from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers

from forgelab.accounts.actors import Actor
from forgelab.api.errors import conflict_on
from forgelab.api.host_keys.accept import accepted_keys, shown_at
from forgelab.api.host_keys.serializers import AcceptedKeysSerializer
from forgelab.devices import passwords, services
from forgelab.devices.add_with_key import device_add_with_key
from forgelab.devices.hostkeys import HostKeyError
from forgelab.devices.models import Device
from forgelab.devices.ssh import DeviceUnreachable


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


@sensitive_variables()
def add(actor: Actor, wanted: dict[str, Any]) -> Device:
    """The device, added as the request says. Raises `ValidationError` by field, `Conflict` where none answers."""
    with conflict_on(HostKeyError, DeviceUnreachable):
        return _add(actor, wanted)


@sensitive_variables()
def _add(actor: Actor, wanted: dict[str, Any]) -> Device:
    place = {name: wanted.get(name) for name in ("name", "address", "port", "user", "jump")}
    if wanted["connection"] == Device.Connection.LOCAL:
        return services.device_add(**place, host_keys=[], connection=Device.Connection.LOCAL, actor=actor)
    keys = accepted_keys(wanted, lambda: shown_at(wanted["address"], wanted["port"], wanted.get("jump")))
    if "password" in wanted:
        return passwords.device_add_with_password(**place, host_keys=keys, password=wanted["password"], actor=actor)
    chosen = {name: wanted.get(name, "") for name in ("private_key", "passphrase")}
    return device_add_with_key(**place, host_keys=keys, **chosen, actor=actor)
