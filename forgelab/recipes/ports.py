"""Which ports a server will listen on, as its roles declare them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

from forgelab.recipes.model import Component, Recipe
from forgelab.recipes.roles.runtime import read_vars
from forgelab.recipes.roles.spec import RoleSpec

DEPTH = 5  # of variables that are made from others
Values = dict[str, Any]


class _Environment(SandboxedEnvironment, NativeEnvironment):
    """Expressions give values rather than text, and reach nothing but what they are given."""


def recipe_ports(recipe: Recipe, config: Mapping[str, object]) -> dict[int, str]:
    """Port to the process that will hold it, with this config.

    A port that only the device knows is left out: the preflight knows it.
    """
    found: dict[int, str] = {}
    for component in recipe.selected(config):
        for port, process in _ports(component, config):
            found.setdefault(port, process)
    return found


def _ports(component: Component, config: Mapping[str, object]) -> Iterator[tuple[int, str]]:
    role = component.role
    given = {name: value for name, value in (component.variables or {}).items() if "${" not in str(value)}
    chosen = {name: value for name, value in config.items() if name in role.options}
    values = {name: option.default for name, option in role.options.items()} | given | chosen
    if role.metadata.ports is not None:
        found = ((declared.at(values), declared.process) for declared in role.metadata.ports)
        yield from ((port, process) for port, process in found if port)
    else:
        yield from _computed(role, values)


def _computed(role: RoleSpec, values: Values) -> Iterator[tuple[int, str]]:
    """From the role's variables, as roles of users may have it."""
    declared = _vars(role.folder, _changed(role.folder)) if role.folder else {}
    known = dict(declared) | values
    ports = _value(declared.get(f"{role.name}_ports"), known)
    for item in ports if isinstance(ports, list) else ():
        port = str(_value(item.get("port"), known)) if isinstance(item, dict) else ""
        if port.isdecimal():
            yield int(port), str(item.get("process", ""))


def _value(value: object, known: Values, depth: int = DEPTH) -> object:
    """The value with its Jinja evaluated; None where that needs what only the device knows."""
    if not isinstance(value, str) or "{{" not in value:
        return value
    if not depth:
        return None
    try:
        template = _environment().from_string(value)
        names = {name: known[name] for name in known if name in value}
        used = {name: _value(inner, known, depth - 1) for name, inner in names.items()}
        return template.render(used)
    except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError):
        return None


@lru_cache(maxsize=1)
def _environment() -> _Environment:
    return _Environment(undefined=StrictUndefined)


def _changed(folder: Path) -> int:
    try:
        return max(path.stat().st_mtime_ns for path in folder.glob("*/main.yml"))
    except (OSError, ValueError):
        return 0


@lru_cache(maxsize=256)
def _vars(folder: Path, changed: int) -> Mapping[str, object]:
    return read_vars(folder)
