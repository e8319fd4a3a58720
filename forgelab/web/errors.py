"""What a service refuses, put into forms: each sentence beside its field, the others above the form."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

UNPROCESSABLE = 422
NO_ALIASES: Mapping[str, str | None] = {}


def add_errors(error: Exception, *on: forms.Form, aliases: Mapping[str, str | None] = NO_ALIASES) -> None:
    """Put the sentences of a refusal beside the fields that they are about, whichever of the bound forms has them.

    Services name a field as their keyword argument is called, an option as `config.NAME`; `aliases` says which field of
    the form stands for another name, None for no field. Whatever has no field stands above the first form: nothing that
    a service says is lost, and nothing that was typed. Other exceptions than `ValidationError` are one such sentence.
    """
    for name, sentences in _by_field(error).items():
        field = aliases.get(name, name.removeprefix("config."))
        form = next((form for form in on if field in form.fields), None)
        if form is None:
            on[0].add_error(None, sentences)
        else:
            form.add_error(field, sentences)


def error_messages(error: Exception) -> list[str]:
    """All sentences of a refusal, for pages where it has no form."""
    return [sentence for sentences in _by_field(error).values() for sentence in sentences]


def flash(request: HttpRequest, error: Exception) -> None:
    """Show the refusal at the top of the next page."""
    messages.error(request, " ".join(error_messages(error)))


def _by_field(error: Exception) -> dict[str, list[str]]:
    if not isinstance(error, ValidationError):
        return {"": [str(error)]}
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
