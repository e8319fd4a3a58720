"""Keeps typed values data inside configuration files."""

from __future__ import annotations

import re
from collections.abc import Callable

from ansible.errors import AnsibleFilterError


def must_match(value: object, pattern: str, variable: str, allowed: str) -> str:
    """`value` as text when all of it matches `pattern`. Raises AnsibleFilterError, which names the variable."""
    text = str(value)
    if not re.fullmatch(pattern, text):
        raise AnsibleFilterError(f"{variable}: {text!r} is not allowed; allowed is {allowed}.")
    return text


class FilterModule:
    """The filter must_match."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Filter functions by name."""
        return {"must_match": must_match}
