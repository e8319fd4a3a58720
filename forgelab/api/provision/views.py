"""Provisioning: a new server, or one brought back to what it should be."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.provision.serializers import ProvisionSerializer, provision_request
from forgelab.api.runs.accepted import accepted
from forgelab.api.runs.serializers import AcceptedSerializer
from forgelab.api.views import View
from forgelab.servers.provisioning import services


class ProvisionView(View):
    actions = {"POST": "server.provision"}
    serializer_class = ProvisionSerializer

    @extend_schema(operation_id="provision", request=provision_request(), responses={202: AcceptedSerializer})
    def post(self, request: Request) -> Response:
        """Provision a server, or reprovision it. Answers at once; follow the run."""
        wanted = self.body()
        device = wanted.pop("device_id")
        try:
            run = services.server_provision(device=device, actor=self.actor, **wanted)
        except ValidationError as error:
            raise _in_our_words(error) from None
        return accepted(run, request)


def _in_our_words(error: ValidationError) -> ValidationError:
    """The service speaks of `device`, the request of `device_id`."""
    if not hasattr(error, "error_dict"):
        return error
    return ValidationError(
        {"device_id" if key == "device" else key: value for key, value in error.message_dict.items()}
    )
