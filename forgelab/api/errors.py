"""Every error of the API as JSON sentences: `{field: [sentence]}` for wrong input, else `{"detail": sentence}`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.core.signals import got_request_exception
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

log = logging.getLogger("forgelab.api")

HOW_TO_AUTHENTICATE = 'Send a token in the header "Authorization: Token ...". To make one: forgelab token create USER'
UNEXPECTED = "Something went wrong in ForgeLab itself. What exactly is in its log."


class Conflict(exceptions.APIException):
    """The thing is in a state in which this cannot be done."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This is not possible in the present state."


@contextmanager
def conflict_on(*kinds: type[Exception]) -> Iterator[None]:
    """Turns these errors of a service into `Conflict`: the request is right, the state of things is not."""
    try:
        yield
    except kinds as error:
        raise Conflict(" ".join(getattr(error, "messages", [str(error)]))) from None


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """REST framework's exception handler: never HTML, never a stack trace."""
    if isinstance(error, ValidationError):
        error = exceptions.ValidationError(service_errors(error))
    request = context["request"]
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    response = exception_handler(error, context)
    if response is None:
        return _unexpected(error, context)
    if isinstance(error, exceptions.ValidationError):
        response.data = dict(_flat(response.data)) if isinstance(response.data, Mapping) else {"detail": _text(error)}
    else:
        response.data = {"detail": _sentence(error, context, str(response.data.get("detail", "")))}
    return response


def service_errors(error: ValidationError) -> dict[str, Any]:
    """A service's error by field; where it names none, as `detail`."""
    return error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages}


def _flat(errors: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Nested errors under dotted paths, such as `config.php_version`."""
    for name, value in errors.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        else:
            messages = [str(message) for message in (value if isinstance(value, list) else [value])]
            field = "detail" if name == "non_field_errors" and not path else f"{path}{name}"
            yield field, (messages if field != "detail" else " ".join(messages))  # type: ignore[misc]


def _text(error: exceptions.ValidationError) -> str:
    return " ".join(str(part) for part in (error.detail if isinstance(error.detail, list) else [error.detail]))


def _sentence(error: Exception, context: dict[str, Any], detail: str) -> str:
    if isinstance(error, (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)):
        return f"{detail} {HOW_TO_AUTHENTICATE}"
    if isinstance(error, exceptions.MethodNotAllowed):
        allowed = [method for method in context["view"].allowed_methods if method != "OPTIONS"]
        return f"{context['request'].method} is not possible here; allowed: {', '.join(allowed)}."
    if isinstance(error, exceptions.UnsupportedMediaType):
        return f'{detail} Send JSON, with the header "Content-Type: application/json".'
    return detail


def _unexpected(error: Exception, context: dict[str, Any]) -> Response:
    request = context["request"]
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    got_request_exception.send(sender=type(context["view"]), request=request._request)
    return Response({"detail": UNEXPECTED}, status=status.HTTP_500_INTERNAL_SERVER_ERROR)
