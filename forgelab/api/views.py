"""What all views of the API share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from forgelab.accounts.actors import Actor, from_request
from forgelab.api import errors, query
from forgelab.api.filters import FilterBackend
from forgelab.api.pagination import Pages
from forgelab.api.parsers import StrictJSONParser
from forgelab.api.permissions import PolicyPermission


class Negotiation(DefaultContentNegotiation):
    """Another `?format=` than what a view renders is a mistake in the request, not a missing page."""

    def filter_renderers(self, renderers: list[Any], format: str) -> list[Any]:
        """Raises `ValidationError`."""
        try:
            return super().filter_renderers(renderers, format)
        except Http404:
            known = ", ".join(renderer.format for renderer in renderers)
            raise exceptions.ValidationError({"format": [f'"{format}" is not one of {known}.']}) from None


class Metadata(SimpleMetadata):
    """The answer to OPTIONS. The fields of a request are in the schema."""

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        return {}


class View(GenericAPIView[Any]):
    """JSON in, JSON out, errors as sentences; what a request may not say is refused by name."""

    permission_classes = [IsAuthenticated, PolicyPermission]
    parser_classes = [StrictJSONParser]
    content_negotiation_class = Negotiation
    metadata_class = Metadata
    lookup_url_kwarg = "key"
    query_serializer_class: type[BaseSerializer[Any]] | None = None
    more_parameters: tuple[str, ...] = ()
    # What each method does, by its name in the policy. GET only looks, unless it says otherwise.
    actions: Mapping[str, str] = {}

    def get_exception_handler(self) -> Any:
        return errors.handle

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        query.check(request.query_params, query.known_parameters(self))

    @property
    def actor(self) -> Actor:
        """Who sent the request, for the services."""
        return from_request(self.request)

    def get_object(self) -> Any:
        """The row that the path names. Raises `NotFound`."""
        try:
            return super().get_object()
        except Http404:
            raise exceptions.NotFound(f"There is no {self.noun()} {self.kwargs[self.lookup_url_kwarg]}.") from None

    def noun(self) -> str:
        return str(self.get_queryset().model._meta.verbose_name)

    def body(self) -> dict[str, Any]:
        """The request's body by `serializer_class`. Raises `ValidationError`."""
        wanted = self.get_serializer(data=self.request.data)
        wanted.is_valid(raise_exception=True)
        return dict(wanted.validated_data)

    def parameters(self) -> dict[str, Any]:
        """The query parameters by `query_serializer_class`. Raises `ValidationError`."""
        assert self.query_serializer_class  # noqa: S101 - for mypy: a view that calls this declares one
        wanted = self.query_serializer_class(data=self.request.query_params.dict())
        wanted.is_valid(raise_exception=True)
        return dict(wanted.validated_data)


class ListView(View, ListAPIView[Any]):
    """Rows in pages, in the order of `ordering`, filtered by `filterset_class`."""

    filter_backends = [FilterBackend]
    pagination_class = Pages
    ordering: str


@login_not_required  # the API asks for a token, never for a login page
def nothing_here(request: HttpRequest, path: str = "") -> JsonResponse:
    """The answer for a path that the API does not have."""
    hint = " Paths have no slash at the end." if path.endswith("/") else ""
    return JsonResponse({"detail": f"There is nothing at {request.path}.{hint} All paths: /api/v1/schema"}, status=404)
