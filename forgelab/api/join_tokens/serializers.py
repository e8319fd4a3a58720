"""Commands by which machines join, as the API shows them."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from forgelab.api.devices.serializers import DeviceBriefSerializer
from forgelab.api.serializers import StrictSerializer
from forgelab.devices import join_tokens
from forgelab.devices.models import JoinToken

STATES = ("waiting", "joining", "joined", "failed", "expired")


class JoinTokenCreateSerializer(StrictSerializer):
    name = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=63, help_text="For the device; else its host name."
    )


class JoinTokenSerializer(serializers.ModelSerializer[JoinToken]):
    """A command's state. The token itself is shown only once, when it is made."""

    state = serializers.SerializerMethodField()
    sentence = serializers.SerializerMethodField(help_text="The state in words; why, where the machine did not join.")
    device = DeviceBriefSerializer(allow_null=True)

    class Meta:
        model = JoinToken
        fields = ["id", "name", "created_at", "expires_at", "used_at", "state", "sentence", "device"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(STATES))
    def get_state(self, token: JoinToken) -> str:
        return join_tokens.outcome(token).state

    def get_sentence(self, token: JoinToken) -> str:
        return join_tokens.outcome(token).sentence


class MadeJoinTokenSerializer(JoinTokenSerializer):
    command = serializers.CharField(help_text="To be run on the machine; shown only now.")

    class Meta(JoinTokenSerializer.Meta):
        fields = [*JoinTokenSerializer.Meta.fields, "command"]
        read_only_fields = fields
