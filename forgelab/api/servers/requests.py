"""What a request may say about a server that is there."""

from __future__ import annotations

from rest_framework import serializers

from forgelab.api.serializers import StrictSerializer


class ConfirmSerializer(StrictSerializer):
    """What must be said where something may be lost."""

    confirm = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="The server's name, where a database goes."
    )
    without_backup = serializers.CharField(
        required=False, allow_blank=True, default="",
        help_text="For a database without a verified backup of the last day; the refusal names the sentence.",
    )  # fmt: skip
    purge = serializers.BooleanField(
        required=False, default=False, help_text="Remove the packages with their data as well."
    )


class ChangeSerializer(ConfirmSerializer):
    """The options to change and to apply; all others stay. `drift_watch` alone makes no run."""

    config = serializers.DictField(required=False, help_text="Options to change.")
    drift_watch = serializers.BooleanField(required=False, help_text="Compare it with its plan every day.")


class DecommissionSerializer(ConfirmSerializer):
    confirm = serializers.CharField(help_text="The server's name.")
    forget = serializers.BooleanField(
        required=False, default=False, help_text="Do not touch the device, because it is gone."
    )
