"""Server types: what can be provisioned."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from forgelab.api.server_types.serializers import ServerTypeSerializer, ServerTypesSerializer
from forgelab.api.views import View
from forgelab.recipes.model import Recipe
from forgelab.servers.catalog import recipe_catalog


class ServerTypeListView(View):
    @extend_schema(operation_id="server_types_list", responses=ServerTypesSerializer)
    def get(self, request: Request) -> Response:
        """Every server type that can be provisioned, and what is wrong with the recipes that cannot."""
        catalog = recipe_catalog()
        found = {"results": catalog.recipes.values(), "problems": catalog.reports()}
        return Response(ServerTypesSerializer(found).data)


class ServerTypeView(View):
    @extend_schema(operation_id="server_types_show", responses=ServerTypeSerializer)
    def get(self, request: Request, key: str) -> Response:
        """One server type."""
        return Response(ServerTypeSerializer(self.get_object()).data)

    def get_object(self) -> Recipe:
        """Raises `NotFound`."""
        key = self.kwargs["key"]
        recipe = recipe_catalog().recipes.get(key)
        if recipe is None:
            raise exceptions.NotFound(f'There is no server type "{key}". All of them: {reverse("api:server-types")}')
        return recipe
