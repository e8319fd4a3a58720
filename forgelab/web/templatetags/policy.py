"""Buttons are shown by the same policy that the services ask."""

from __future__ import annotations

from django import template
from django.http import HttpRequest

from forgelab.accounts import policy
from forgelab.accounts.actors import from_request

register = template.Library()


@register.filter
def may(request: HttpRequest, action: str) -> bool:
    """`{% if request|may:"device.add" %}`: whether the user who sees the page may do that."""
    return policy.may(from_request(request), action)


@register.filter
def refusal(request: HttpRequest, action: str) -> str:
    """`{{ request|refusal:"device.add" }}`: the sentence that says who may do it, for a user who may not."""
    return policy.refusal(from_request(request), action)
