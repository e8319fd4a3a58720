"""Every endpoint of the API, found in its URLs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver

from forgelab.api import urls

READING = {"GET", "HEAD", "OPTIONS"}


def _views(patterns: list[Any]) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and hasattr(pattern.callback, "cls"):
            yield str(pattern.pattern), pattern.callback.cls()


ENDPOINTS: dict[str, Any] = dict(_views(urls.urlpatterns))  # a view by its path below /api/v1/
METHODS = [(path, method) for path, view in ENDPOINTS.items() for method in view.allowed_methods if method != "OPTIONS"]
CHANGING = [(path, method) for path, method in METHODS if method not in READING]
