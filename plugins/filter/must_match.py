"""Keeps typed values data inside configuration files."""

from __future__ import annotations

import re
from collections.abc import Callable

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: must_match
short_description: The value, where all of it matches a pattern
description:
  - Keeps a value that somebody typed from becoming another line or directive of a configuration file.
  - Fails with a sentence that names the variable, what it holds and what is allowed.
author: ForgeLab
positional: pattern, variable, allowed
options:
  _input: {description: The value., type: raw, required: true}
  pattern: {description: A regular expression of Python., type: str, required: true}
  variable: {description: Name of the variable for the message., type: str, required: true}
  allowed: {description: What is allowed in words for the message., type: str, required: true}
"""

EXAMPLES = r"""
- name: A host name that is one
  ansible.builtin.debug:
    msg: "server_name {{ nginx_domain | forgelab.homelab.must_match('[a-z0-9.-]+', 'nginx_domain', 'a host name') }};"
"""

RETURN = r"""
_value: {description: The value as text., type: str}
"""


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
