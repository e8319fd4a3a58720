"""`${NAME}` in a manifest's values: found, checked, and filled with plain data, once and never again.

`$${` stands for a literal `${`, so that a command can still use the shell's own variables.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping

PLACEHOLDER = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
SHELL = re.compile(
    r"""(?P<comment>(?:\A|(?<=[\s;&|(]))\#[^\n]*) | (?P<escaped>\\(?:\$\{|.))
        | (?P<single>'[^']*'?) | (?P<double>"(?:\\.|[^"\\])*"?)""",
    re.DOTALL | re.VERBOSE,
)


def names_in(value: object) -> Iterator[str]:
    """Every placeholder's name in a text, list or mapping, in order; malformed ones as they are written."""
    if isinstance(value, str):
        for match in PLACEHOLDER.finditer(value):
            if match[0] != "$${":
                yield match[1]
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from names_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from names_in(item)


def lone_placeholder(value: object) -> str:
    """The name of the placeholder that a text consists of entirely, else ""."""
    match = PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match and match[1] else ""


def fill(text: str, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """`text` with each placeholder replaced by its escaped value. Raises KeyError for an unknown name."""
    return PLACEHOLDER.sub(lambda match: "${" if match[0] == "$${" else escape(values[match[1]]), text)


def fill_all(value: object, values: Mapping[str, str], typed: Mapping[str, object]) -> object:
    """The same for every text inside lists and mappings.

    A text that is nothing but one placeholder found in `typed` becomes that value itself, so that a number stays one;
    a list put into a list this way becomes part of it.
    """
    if isinstance(value, str):
        whole = lone_placeholder(value)
        return typed[whole] if whole in typed else fill(value, values)
    if isinstance(value, Mapping):
        return {key: fill_all(item, values, typed) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [part for item in value for part in _parts(item, values, typed)]
    return value


def _parts(item: object, values: Mapping[str, str], typed: Mapping[str, object]) -> list[object]:
    filled = fill_all(item, values, typed)
    return filled if isinstance(item, str) and isinstance(filled, list) else [filled]


def fill_command(command: str, values: Mapping[str, str]) -> str:
    """A shell command with each placeholder replaced by one shell-quoted word."""
    return fill(command, values, shlex.quote)


def as_text(value: object) -> str:
    """A config value as it stands in a text: booleans as `true` and `false`, lists with commas."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(as_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def unquotable(command: str) -> str | None:
    """Why a placeholder in this command could not be quoted safely, or None.

    A quoted word is one word only where the shell is not already inside quotes or another construct, so such
    places are refused instead of guessed at.
    """
    if not any(True for _ in names_in(command)):
        return None
    for construct, name in (("`", "backticks"), ("<<", "a here-document"), ("$'", "$'...'"), ("((", "arithmetic")):
        if construct in command:
            return f"a placeholder cannot be used in a command with {name}"
    return _quoted_placeholder(command)


def _quoted_placeholder(command: str) -> str | None:
    for match in SHELL.finditer(command):
        if match["escaped"] == "\\${":
            return "a placeholder cannot follow a backslash; write $${ for a literal ${"
        if match["double"] and "$(" in match["double"]:
            return "a placeholder cannot be used in a command with $(...) inside double quotes"
        for name in names_in(match["single"] or match["double"] or ""):
            return f"${{{name}}} stands inside quotes; write it without, its value is quoted by itself"
    return None
