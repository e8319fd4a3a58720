"""What all views of the API share."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest, JsonResponse
from rest_framework import exceptions, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from forgelab.api import errors
from forgelab.api.parsers import StrictJSONParser
from forgelab.devices.models import Device

M = TypeVar("M", bound=Model)


class View(APIView):
    """JSON in, JSON out, errors as sentences."""

    parser_classes = [StrictJSONParser]

    def get_exception_handler(self) -> Any:
        return errors.handle


class Pages(CursorPagination):
    """Pages that stay right while rows are added: follow `next` until it is null."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses keys that it does not know: a misspelt key must not be ignored in silence."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields]
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {name[:100]: [f"This is not a known key; known are {known}."] for name in unknown}
            )
        return super().to_internal_value(data)


def page(view: View, rows: QuerySet[Any], ordering: str, serializer: type[serializers.BaseSerializer[Any]]) -> Response:
    """One page of the rows."""
    pages = Pages()
    pages.ordering = ordering
    found = pages.paginate_queryset(rows, view.request, view)
    return pages.get_paginated_response(serializer(found, many=True, context={"request": view.request}).data)


def find(rows: QuerySet[M], kind: str, key: UUID) -> M:
    """The row with this id. Raises `NotFound`."""
    row = rows.filter(pk=key).first()
    if row is None:
        raise exceptions.NotFound(f"There is no {kind} {key}.")
    return row


def choice(request: Request, name: str, allowed: list[str]) -> str | None:
    """A query parameter that must be one of `allowed`; None when it is not given. Raises `ValidationError`."""
    value = request.query_params.get(name)
    if value is not None and value not in allowed:
        raise serializers.ValidationError({name: [f'"{value}" is not one of {", ".join(allowed)}.']})
    return value


def number(request: Request, name: str, default: int, highest: int) -> int:
    """A query parameter that must be a whole number from 0 to `highest`. Raises `ValidationError`."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 16 and int(text) <= highest):
        raise serializers.ValidationError({name: [f'"{text}" is not a whole number from 0 to {highest}.']})
    return int(text)


def device_named(request: Request) -> Device | None:
    """The device of the query parameter `device`, by id or name; None without one. Raises `ValidationError`."""
    text = request.query_params.get("device")
    if text is None:
        return None
    device = Device.objects.filter(name=text).first() or _by_id(text)
    if device is None:
        raise serializers.ValidationError({"device": [f'There is no device "{text}".']})
    return device


def _by_id(text: str) -> Device | None:
    try:
        return Device.objects.filter(pk=UUID(text)).first()
    except ValueError:
        return None


def nothing_here(request: HttpRequest, path: str = "") -> JsonResponse:
    """The answer for a path that the API does not have."""
    hint = " Paths have no slash at the end." if path.endswith("/") else ""
    return JsonResponse({"detail": f"There is nothing at {request.path}.{hint} All paths: /api/v1/schema"}, status=404)
