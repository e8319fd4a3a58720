"""`meta/forgelab.yml` of a role: what ForgeLab has to know of it, Ansible not. See docs/role-metadata.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from forgelab.lib.problems import DocumentError, Problem, Problems
from forgelab.lib.reader import Reader, text_at
from forgelab.lib.yamlfile import parse
from forgelab.recipes.roles.colocation import ColocationRules, read_rules
from forgelab.recipes.roles.former_sharing import SHARING, read_sharing
from forgelab.recipes.roles.listening import Port, read_ports
from forgelab.recipes.roles.variables import full_name
from forgelab.recipes.versions.declaration import read_versions
from forgelab.recipes.versions.distributions import Distributions, read_distributions
from forgelab.recipes.versions.support import Versions

METADATA = Path("meta/forgelab.yml")
KEYS = ("title", "parts", "ports", "versions", "colocation", "placement", "distributions")
LARGEST_INSTANCE_MB, LIMIT = 1_000_000, 20


@dataclass(frozen=True, slots=True)
class RoleMetadata:
    """`parts` are the variables whose items are shown as what the component consists of. `ports` is None where the file
    does not say; `instance_mb` is the memory that one more instance would take.
    """

    title: str = ""
    parts: tuple[str, ...] = ()
    ports: tuple[Port, ...] | None = None
    versions: Versions = field(default_factory=Versions)
    colocation: ColocationRules = field(default_factory=ColocationRules)
    instance_mb: int = 0
    distributions: Distributions = field(default_factory=dict)


def read_metadata(folder: Path, options: Mapping[str, object]) -> RoleMetadata:
    """Of the role in this folder; `options` are its variables as argument_specs.yml has them.

    Raises DocumentError naming the file, the key and what is allowed; OSError for a file that cannot be read.
    """
    with _named(METADATA):
        metadata = _read(folder, options)
    if not (folder / SHARING).exists():
        return metadata
    with _named(SHARING):
        if metadata.colocation != ColocationRules():
            raise DocumentError([Problem("", f"{METADATA} has colocation, which takes its place; remove this file")])
        return replace(metadata, colocation=read_sharing(folder, options))


def _read(folder: Path, options: Mapping[str, object]) -> RoleMetadata:
    path = folder / METADATA
    if not path.exists():
        return RoleMetadata()
    document = parse(path.read_bytes())
    problems = Problems(document.lines)
    top = Reader(document.data or {}, "", problems, KEYS)
    placement = _section(top, "placement", ("instance_mb",))
    metadata = RoleMetadata(
        title=top.text("title", limit=60),
        parts=_variables(top, "parts", folder.name, options),
        ports=read_ports(top, folder.name, options),
        versions=read_versions(top),
        colocation=read_rules(top, folder.name, options),
        instance_mb=placement.integer("instance_mb", 0, 0, LARGEST_INSTANCE_MB) or 0,
        distributions=read_distributions(_section(top, "distributions")),
    )
    problems.raise_any()
    return metadata


def _variables(top: Reader, key: str, role: str, options: Mapping[str, object]) -> tuple[str, ...]:
    names = (text_at(item, path, top.problems) for path, item in top.items(key, LIMIT))
    return tuple(full_name(top, key, name, role, options) for name in names if name)


def _section(top: Reader, key: str, keys: tuple[str, ...] | None = None) -> Reader:
    return Reader(top.data.get(key, {}), key, top.problems, keys)


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Puts the file's name before what is wrong in it."""
    try:
        yield
    except DocumentError as wrong:
        named = [Problem(f"{file}: {each.path}".removesuffix(": "), each.message, each.line) for each in wrong.problems]
        raise DocumentError(named) from None
