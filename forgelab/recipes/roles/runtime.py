"""What a role has running on a device: the ports it listens on and the services it manages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from forgelab.recipes.roles.spec import RoleSpec

REFERENCE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RoleRuntime:
    """`ports` are (port, process), as text; `computed` names what only the device knows."""

    ports: tuple[tuple[str, str], ...] = ()
    services: tuple[str, ...] = ()
    computed: frozenset[str] = frozenset()


class _Loader(yaml.SafeLoader):
    """Ansible's own tags are read as what they mark."""


_Loader.add_constructor(None, lambda loader, node: getattr(node, "value", None))


def role_runtime(role: RoleSpec, values: Values) -> RoleRuntime:
    """With `values` for the role's variables; nothing for a role that declares nothing."""
    found = read_vars(role.folder) if role.folder else {}
    known = {name: option.default for name, option in role.options.items()} | dict(values)
    ports, services = found.get(f"{role.name}_ports"), found.get(f"{role.name}_services")
    if role.metadata.ports is not None:
        ports = [declared.shown(known) for declared in role.metadata.ports if declared.can_be(values)]
    return RoleRuntime(
        ports=tuple(
            (_filled(port.get("port"), known), str(port.get("process", "")))
            for port in (ports if isinstance(ports, list) else ())
            if isinstance(port, dict)
        ),
        services=tuple(_filled(name, known) for name in (services if isinstance(services, list) else ())),
        computed=frozenset(
            key for key, value in (("ports", ports), ("services", services)) if isinstance(value, str) and value
        ),
    )


def read_vars(folder: Path) -> Mapping[str, object]:
    """The role's `defaults/main.yml` and `vars/main.yml`; nothing of a file that cannot be read."""
    return {**_read(folder / "defaults/main.yml"), **_read(folder / "vars/main.yml")}


def _read(path: Path) -> dict[str, object]:
    try:
        data = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def _filled(text: object, known: Values) -> str:
    def value(match: re.Match[str]) -> str:
        given = known.get(match[1])
        plain = isinstance(given, (str, int)) and "{" not in str(given)
        return str(given) if plain else f"({match[1]})"

    return REFERENCE.sub(value, str(text))
