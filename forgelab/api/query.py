"""Query parameters: a view knows its own, any other is refused with what was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.settings import api_settings

from forgelab.lib.problems import did_you_mean

if TYPE_CHECKING:
    from forgelab.api.views import View

FORMAT = str(api_settings.URL_FORMAT_OVERRIDE)
# What other APIs call it: names that are not alike.
ELSEWHERE = {"page_size": "limit", "per_page": "limit", "size": "limit", "page": "cursor", "offset": "cursor"}
LONGEST_NAME = 100  # characters of an unknown name that are repeated


def known_parameters(view: View) -> list[str]:
    """Names of the query parameters that this request may have, in the order of the schema."""
    if view.request.method not in ("GET", "HEAD"):
        return []
    names = [*view.more_parameters]
    if view.query_serializer_class:
        names += view.query_serializer_class().fields
    if filters := getattr(view, "filterset_class", None):
        names += filters.base_filters
    if pages := view.paginator:
        names += [pages.cursor_query_param, pages.page_size_query_param]
    return names


def check(given: QueryDict, known: list[str]) -> None:
    """Raises `ValidationError` with every parameter that is unknown, given twice, or no text a database can hold."""
    wrong = {
        name[:LONGEST_NAME].replace("\x00", ""): [sentence]
        for name, values in given.lists()
        if (sentence := _mistake(name, values, known))
    }
    if wrong:
        raise serializers.ValidationError(wrong)


def _mistake(name: str, values: list[str], known: list[str]) -> str:
    if name not in (*known, FORMAT):
        return _unknown(name, known)
    if len(values) > 1:
        return f"This is given {len(values)} times; once is allowed."
    return "NUL characters are not allowed." if "\x00" in values[0] else ""


def _unknown(name: str, known: list[str]) -> str:
    if not known:
        return "This is not a known parameter; there are no parameters here."
    meant = ELSEWHERE.get(name.lower(), "")
    hint = f'; did you mean "{meant}"?' if meant in known else did_you_mean(name, known)
    return f"This is not a known parameter; known are {', '.join(known)}{hint or '.'}"
