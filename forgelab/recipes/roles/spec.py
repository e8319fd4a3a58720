"""What a role offers, read from its `meta/argument_specs.yml`, `defaults/main.yml` and `meta/forgelab.yml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from forgelab.lib.problems import DocumentError
from forgelab.lib.yamlfile import parse
from forgelab.recipes.roles.colocation import ColocationRules
from forgelab.recipes.roles.former_sharing import SHARING
from forgelab.recipes.roles.metadata import METADATA, RoleMetadata, read_metadata
from forgelab.recipes.versions.distributions import Distributions, release_titles
from forgelab.recipes.versions.support import Versions
from forgelab.recipes.versions.vendors import Vendor

SPEC, DEFAULTS = Path("meta/argument_specs.yml"), Path("defaults/main.yml")
VARS = Path("vars/main.yml")


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
    """A role: `title` is what people read, `options` its variables by full name (`php_version`).

    `metadata` is what its `meta/forgelab.yml` says; `listens` is false where the role has no ports.
    """

    name: str
    title: str
    description: str = ""
    options: Mapping[str, RoleOption] = field(default_factory=dict)
    folder: Path | None = None
    metadata: RoleMetadata = field(default_factory=RoleMetadata)
    listens: bool = True

    @property
    def versions(self) -> Versions:
        return self.metadata.versions

    @property
    def colocation(self) -> ColocationRules:
        return self.metadata.colocation

    @property
    def default_version(self) -> str:
        """What is installed where nobody chose; "" where the role has no version."""
        option = self.options.get(self.variable("version"))
        return self.versions.recommended or (str(option.default or "") if option else "")

    def variable(self, key: str) -> str:
        return f"{self.name}_{key}"

    def keys(self) -> list[str]:
        """The variables' names as a component writes them, without the role's name."""
        return [name.removeprefix(f"{self.name}_") for name in self.options]


@dataclass(frozen=True, slots=True)
class Roles:
    """Every role that can be a component; `broken` says of the others why they cannot be read.

    `distributions` are those that all of ForgeLab's roles support.
    """

    specs: Mapping[str, RoleSpec]
    broken: Mapping[str, str]
    distributions: Distributions = field(default_factory=dict)

    @property
    def vendors(self) -> Mapping[str, Vendor]:
        """The vendors that the roles declare, by component."""
        return {name: spec.versions.vendor for name, spec in self.specs.items() if spec.versions.vendor}


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
    declared = [spec.metadata.distributions for spec in specs.values() if spec.metadata.distributions]
    distributions = declared[0] if declared else {}
    return Roles({name: with_releases(spec, distributions) for name, spec in specs.items()}, broken, distributions)


def with_releases(spec: RoleSpec, distributions: Distributions) -> RoleSpec:
    """The role, whose versions know the titles of the distributions' releases."""
    if not spec.versions.known:
        return spec
    versions = replace(spec.versions, releases=release_titles(distributions))
    return replace(spec, metadata=replace(spec.metadata, versions=versions))


def role_files(roles_dir: Path) -> list[Path]:
    """The files this module reads, for those who watch them; some roles do not have all of them."""
    try:
        folders = sorted(roles_dir.iterdir())
    except OSError:
        return []
    return [folder / part for folder in folders for part in (SPEC, DEFAULTS, METADATA, SHARING, VARS)]


def load_role(folder: Path) -> RoleSpec:
    """One role. Raises DocumentError for YAML that cannot be read or used, OSError for files that cannot be read."""
    main = _mapping(_mapping(_read(folder / SPEC), "argument_specs"), "main")
    defaults = _read(folder / DEFAULTS) if (folder / DEFAULTS).exists() else {}
    options = _mapping(main, "options")
    metadata = read_metadata(folder, options)
    read = {name: _option(name, _mapping(options, name), defaults) for name in options}
    version = f"{folder.name}_version"
    if version in read and metadata.versions.choices:
        read[version] = replace(read[version], choices=metadata.versions.choices)
    return RoleSpec(
        name=folder.name,
        title=metadata.title or str(main.get("short_description") or folder.name),
        description=_prose(main.get("description")),
        options=read,
        folder=folder,
        metadata=metadata,
        listens=_listens(folder) if metadata.ports is None else bool(metadata.ports),
    )


def _listens(folder: Path) -> bool:
    """The values are Ansible's business; an empty list is one in any case."""
    paths = [path for path in (folder / VARS, folder / DEFAULTS) if path.exists()]
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in paths)
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
