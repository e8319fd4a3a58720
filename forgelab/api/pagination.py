"""Pages of long lists."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework import exceptions
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class Pages(CursorPagination):
    """Pages that stay right while rows are added: follow `next` until it is null. A view's `ordering` is the order."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    cursor_query_description = "From `next` or `previous` of another page."
    page_size_query_description = "Rows on a page, at most 200."
    invalid_cursor_message = "This cursor is not from a page of this list: begin again without one."

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        return (view.ordering,)

    def get_page_size(self, request: Request) -> int:
        """Raises `ValidationError` for what is not a number of rows that a page may have."""
        text = request.query_params.get("limit")
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdecimal() and len(text) < 16 and 1 <= int(text) <= self.max_page_size):
            sentence = f'"{text[:40]}" is not a whole number from 1 to {self.max_page_size}.'
            raise exceptions.ValidationError({"limit": [sentence]})
        return int(text)

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any] | None:
        """The rows of this page. Raises `NotFound` for a cursor at which this list's order cannot stand."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except ValidationError:
            raise exceptions.NotFound(self.invalid_cursor_message) from None

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Raises `NotFound` for what this list never gave as a cursor."""
        cursor = super().decode_cursor(request)
        if cursor and "\x00" in (cursor.position or ""):
            raise exceptions.NotFound(self.invalid_cursor_message)
        return cursor
