"""A plan as it is asked for, and what it found."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from forgelab.api.serializers import StrictSerializer


class PlanRequestSerializer(StrictSerializer):
    config = serializers.DictField(required=False, default=dict, help_text="Options as if they were so; others stay.")


class ChangeItemSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="file, package, service to start, firewall rule, command, ...")
    what = serializers.CharField()
    diff = serializers.CharField(help_text="Unified, secrets masked; empty where no text changes.")


class StepChangesSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    title = serializers.CharField()
    changes = ChangeItemSerializer(many=True)
    handlers = serializers.ListField(child=serializers.CharField(), help_text="What would follow, such as a restart.")
    more = serializers.BooleanField(help_text="More may follow, known only once packages are there and services run.")


class PlanSerializer(serializers.Serializer[Any]):
    """What a plan found. Nothing of it has been done."""

    summary = serializers.CharField(help_text="`No changes`, or `7 changes in 3 steps`.")
    count = serializers.IntegerField()
    steps = StepChangesSerializer(many=True)
    options = serializers.DictField(help_text="Options that differ from the server's: `from` and `to`.")
    applicable = serializers.BooleanField()
    why_not = serializers.CharField()
    takes_database = serializers.BooleanField(help_text="Applying it needs `confirm`, and a backup.")
