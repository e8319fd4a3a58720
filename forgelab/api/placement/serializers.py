"""Scores of devices and places of servers, as the API shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from forgelab.api.devices.serializers import DeviceBriefSerializer


class ScoreSerializer(serializers.Serializer[Any]):
    """How well a device suits: points from 0 to 100 with reasons, or refusals."""

    device = DeviceBriefSerializer()
    points = serializers.IntegerField()
    fits = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    refusals = serializers.ListField(child=serializers.CharField())


class ChoiceSerializer(serializers.Serializer[Any]):
    """Where a server goes, with the score it has there when the rest of the set is in place."""

    name = serializers.CharField()
    device = DeviceBriefSerializer()
    points = serializers.IntegerField()
    reasons = serializers.ListField(child=serializers.CharField())


class MissingSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    reason = serializers.CharField()


class PlacementSerializer(serializers.Serializer[Any]):
    """`best`: there is no better placement; where it is false, none better was found."""

    complete = serializers.BooleanField()
    best = serializers.BooleanField()
    choices = ChoiceSerializer(many=True)
    missing = MissingSerializer(many=True)
