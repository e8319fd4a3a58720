"""What a role offers, read from its `meta/argument_specs.yml` and `defaults/main.yml`: the source of option help."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from forgelab.lib.problems import DocumentError, Problem
from forgelab.lib.yamlfile import parse
from forgelab.recipes.roles.colocation import ColocationRules, read_rules

SPEC, DEFAULTS = Path("meta/argument_specs.yml"), Path("defaults/main.yml")
SHARING, VARS = Path("meta/sharing.yml"), Path("vars/main.yml")


@dataclass(frozen=True, slots=True)
class RoleOption:
    """One variable of a role. `type` is Ansible's (str, int, bool, list, dict, ...), `elements` that of a list's items.

    `options` are the keys of a dict, or of each item of a list of dicts.
    """

    name: str
    type: str = "str"
    help: str = ""
    choices: tuple[object, ...] = ()
    default: object = None
    secret: bool = False
    elements: str = ""
    required: bool = False
    options: Mapping[str, RoleOption] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A role: `title` is its short_description, `options` its variables by full name (`php_version`).

    `sharing` is what two servers on one device may have of it; `listens` is false where it says that it has no ports.
    """

    name: str
    title: str
    description: str = ""
    options: Mapping[str, RoleOption] = field(default_factory=dict)
    folder: Path | None = None
    colocation: ColocationRules = field(default_factory=ColocationRules)
    listens: bool = True

    def variable(self, key: str) -> str:
        return f"{self.name}_{key}"

    def keys(self) -> list[str]:
        """The variables' names as a component writes them, without the role's name."""
        return [name.removeprefix(f"{self.name}_") for name in self.options]


@dataclass(frozen=True, slots=True)
class Roles:
    """Every role that can be a component; `broken` says of the others why they cannot be read."""

    specs: Mapping[str, RoleSpec]
    broken: Mapping[str, str]


def load_roles(roles_dir: Path) -> Roles:
    """All roles in `roles_dir` that have argument specs."""
    specs: dict[str, RoleSpec] = {}
    broken: dict[str, str] = {}
    for path in role_files(roles_dir):
        if path.name == SPEC.name and path.exists():
            name = path.parent.parent.name
            try:
                specs[name] = load_role(path.parent.parent)
            except (DocumentError, OSError) as error:
                broken[name] = str(error)
    return Roles(specs, broken)


def role_files(roles_dir: Path) -> list[Path]:
    """The files this module reads, for those who watch them; some roles do not have all of them."""
    try:
        folders = sorted(roles_dir.iterdir())
    except OSError:
        return []
    return [folder / part for folder in folders for part in (SPEC, DEFAULTS, SHARING, VARS)]


def load_role(folder: Path) -> RoleSpec:
    """One role. Raises DocumentError for YAML that cannot be read, OSError for files that cannot."""
    main = _mapping(_mapping(_read(folder / SPEC), "argument_specs"), "main")
    defaults = _read(folder / DEFAULTS) if (folder / DEFAULTS).exists() else {}
    options = _mapping(main, "options")
    return RoleSpec(
        name=folder.name,
        title=str(main.get("short_description") or folder.name),
        description=_prose(main.get("description")),
        options={name: _option(name, _mapping(options, name), defaults) for name in options},
        folder=folder,
        colocation=_colocation(folder, options),
        listens=_listens(folder),
    )


def _colocation(folder: Path, options: Mapping[str, object]) -> ColocationRules:
    data = _read(folder / SHARING) if (folder / SHARING).exists() else {}
    try:
        return read_rules(folder.name, data, options)
    except DocumentError as wrong:
        raise DocumentError([Problem(f"{SHARING}: {each.path}", each.message) for each in wrong.problems]) from None


def _listens(folder: Path) -> bool:
    """The values of vars/main.yml are Ansible's business; an empty list is one in any case."""
    path = folder / VARS
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return not re.search(rf"^{re.escape(folder.name)}_ports:[ ]*\[[ ]*\][ ]*(#.*)?$", text, re.MULTILINE)


def _option(name: str, spec: Mapping[str, object], defaults: Mapping[str, object]) -> RoleOption:
    choices, below = spec.get("choices"), _mapping(spec, "options")
    return RoleOption(
        name=name,
        type=str(spec.get("type", "str")),
        help=_prose(spec.get("description")),
        choices=tuple(choices) if isinstance(choices, list) else (),
        default=defaults.get(name, spec.get("default")),
        secret=spec.get("no_log") is True,
        elements=str(spec.get("elements", "")),
        required=spec.get("required") is True,
        options={key: _option(key, _mapping(below, key), {}) for key in below},
    )


def _read(path: Path) -> Mapping[str, object]:
    data = parse(path.read_bytes()).data
    return data if isinstance(data, dict) else {}


def _mapping(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _prose(value: object) -> str:
    return " ".join(str(part).strip() for part in value) if isinstance(value, list) else str(value or "").strip()


def dump(value: object) -> str:
    """A default as it would stand in YAML, on one line, for documentation."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
