"""What a role's variables say of the device: the ports it uses and the services it manages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from forgelab.recipes.roles.spec import RoleSpec

REFERENCE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
# A port in a list that Jinja makes.
COMPUTED = re.compile(r"'port': *(\w+), *'process': *'([\w.-]+)'")
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RoleRuntime:
    """`ports` are (port, process), as text; `computed` names what only the device can tell."""

    ports: tuple[tuple[str, str], ...] = ()
    services: tuple[str, ...] = ()
    computed: frozenset[str] = frozenset()


class _Loader(yaml.SafeLoader):
    """Ansible's own tags are read as what they mark."""


_Loader.add_constructor(None, lambda loader, node: getattr(node, "value", None))


def role_runtime(role: RoleSpec, values: Values) -> RoleRuntime:
    """With `values` for the role's variables; nothing for a role without such a file."""
    found = read_vars(role.folder) if role.folder else {}
    known = {name: option.default for name, option in role.options.items()} | dict(values)
    ports, services = found.get(f"{role.name}_ports"), found.get(f"{role.name}_services")
    return RoleRuntime(
        ports=tuple(
            (_filled(port.get("port"), known), str(port.get("process", "")))
            for port in (ports if isinstance(ports, list) else ())
            if isinstance(port, dict)
        )
        or tuple((_filled(f"{{{{ {name} }}}}", known), process) for name, process in COMPUTED.findall(str(ports))),
        services=tuple(_filled(name, known) for name in (services if isinstance(services, list) else ())),
        computed=frozenset(
            key for key, value in (("ports", ports), ("services", services)) if isinstance(value, str) and value
        ),
    )


def read_vars(folder: Path) -> Mapping[str, object]:
    """The role's `defaults/main.yml` with its `vars/main.yml` over it; nothing from one that cannot be read."""
    return _read(folder / "defaults/main.yml") | _read(folder / "vars/main.yml")


def _read(file: Path) -> dict[str, object]:
    try:
        data = yaml.load(file.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def _filled(text: object, known: Values) -> str:
    def value(match: re.Match[str]) -> str:
        given = known.get(match[1])
        plain = isinstance(given, (str, int)) and "{" not in str(given)
        return str(given) if plain else f"({match[1]})"

    return REFERENCE.sub(value, str(text))
