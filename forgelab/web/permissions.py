"""Pages ask the policy before they show a form, or a link to one, that its reader may not send."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from forgelab.accounts.actors import from_request
from forgelab.accounts.policy import check, may

View = Callable[..., HttpResponse]


def needs(action: str) -> Callable[[View], View]:
    """The view is only for who may do `action`; others get a page (403) that says whom to ask."""

    def decorate(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            check(from_request(request), action)
            return view(request, *args, **kwargs)

        asked.action = action  # type: ignore[attr-defined]
        return asked

    return decorate


def action_of(url: str) -> str | None:
    """What the page at this URL needs in the policy; None for a page that every user may see.

    Raises `django.urls.Resolver404` where there is no page.
    """
    action: str | None = getattr(resolve(url.partition("?")[0]).func, "action", None)
    return action


def may_open(request: HttpRequest, url: str) -> bool:
    """Whether the user who sees a page may follow its link to this URL."""
    action = action_of(url)
    return action is None or may(from_request(request), action)
