"""Pages ask the policy before they show a form that its reader may not send."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from forgelab.accounts.actors import from_request
from forgelab.accounts.policy import check

View = Callable[..., HttpResponse]


def needs(action: str) -> Callable[[View], View]:
    """The view is only for who may do `action`; others get a page (403) that says whom to ask."""

    def decorate(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            check(from_request(request), action)
            return view(request, *args, **kwargs)

        return asked

    return decorate
