"""Whether the policy lets this actor do what a view does. The policy itself is `forgelab.accounts.policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from forgelab.accounts import policy

if TYPE_CHECKING:
    from forgelab.api.views import View

LOOKING = {"GET": "forgelab.view", "HEAD": "forgelab.view", "OPTIONS": "forgelab.view"}


def action_of(view: View, method: str) -> str:
    """The action that the view declares for a method. Raises `KeyError` where it declares none: that is refused."""
    declared = {"HEAD": view.actions.get("GET", LOOKING["HEAD"])} | view.actions
    return (LOOKING | declared)[method]


class PolicyPermission(BasePermission):
    """Raises Django's `PermissionDenied` with the policy's sentence; a method that a view lacks is answered by 405."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in view.allowed_methods:
            policy.check(view.actor, action_of(view, str(request.method)))
        return True

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        policy.check(view.actor, action_of(view, str(request.method)), obj)
        return True
