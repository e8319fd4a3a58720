"""Roles that a recipe brings along in `roles/` beside its manifest: read whole, as texts that travel with the plan."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from forgelab.lib.problems import DocumentError, Problem, quoted
from forgelab.recipes.folder import ROLES, plain_file_fault
from forgelab.recipes.roles.spec import DEFAULTS, SPEC, Roles, RoleSpec, load_role, with_releases

NAME = re.compile(r"(?!.*_post_install\Z)[a-z][a-z0-9_]{0,39}")
MAX_FILES, MAX_BYTES, MAX_TOTAL = 200, 256 * 1024, 1024 * 1024
TASKS, VARS = Path("tasks/main.yml"), Path("vars/main.yml")
# What the recipe's other steps ask of every role: what to install, which units are its own, which ports must be free,
# and how its version is found.
RUNTIME = ("packages", "services", "ports", "report")

Files = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OwnRoles:
    """The roles a recipe brings: as components can use them, and their files (path to text) by role."""

    roles: Roles = field(default_factory=lambda: Roles({}, {}))
    files: Mapping[str, Files] = field(default_factory=dict)


def load_own_roles(recipe_folder: Path, known: Roles) -> OwnRoles:
    """What lies in the recipe's `roles/`. Raises DocumentError for what no component can be blamed for.

    A role that cannot be used is among the broken ones, with the file that is wrong.
    """
    folder = recipe_folder / ROLES
    if not os.path.lexists(folder):
        return OwnRoles()
    specs: dict[str, RoleSpec] = {}
    broken: dict[str, str] = {}
    files: dict[str, Files] = {}
    problems = []
    for name, fault in _names(recipe_folder, folder, known):
        if fault:
            problems.append(Problem(f"{ROLES}/{name}" if name else ROLES, fault))
            continue
        try:
            files[name] = _files(folder / name)
            specs[name] = with_releases(_spec(folder / name, files[name]), known.distributions)
        except (DocumentError, OSError) as error:
            broken[name] = str(error)
    if sum(len(text) for texts in files.values() for text in texts.values()) > MAX_TOTAL:
        problems.append(Problem(ROLES, f"has more than {MAX_TOTAL} bytes; keep large files elsewhere"))
    if problems:
        raise DocumentError(problems)
    return OwnRoles(Roles(specs, broken), files)


def _names(recipe_folder: Path, folder: Path, known: Roles) -> Iterator[tuple[str, str]]:
    """The folders with what is wrong with their names, if anything; a fault without a name is the folder's own."""
    if not folder.is_dir() or not folder.resolve().is_relative_to(recipe_folder.resolve()):
        yield "", "must be a folder of the recipe's own, with a folder for each role"
        return
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        yield "", f"cannot be read: {error.strerror}"
        return
    for name in names:
        if not (folder / name).is_dir():
            continue
        if name in known.specs or name in known.broken:
            yield name, f"ForgeLab has a role {name} itself; choose another name"
        elif not NAME.fullmatch(name):
            yield quoted(name)[1:-1], "must be up to 40 lowercase letters, digits and _, not ending with _post_install"
        else:
            yield name, ""


def _files(role: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for parent, folders, names in os.walk(role):
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
        for linked in (name for name in folders if Path(parent, name).is_symlink()):
            raise _wrong(Path(parent, linked), role, "is a linked folder; put a copy in its place")
        for path in (Path(parent, name) for name in sorted(names)):
            if fault := plain_file_fault(path, role, MAX_BYTES):
                raise _wrong(path, role, fault)
            found[str(path.relative_to(role))] = _text(path, role)
        if len(found) > MAX_FILES:
            raise _wrong(role, role, f"has more than {MAX_FILES} files")
    return found


def _text(path: Path, role: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise _wrong(path, role, "is not UTF-8 text, which a role of a recipe must be") from None


def _spec(role: Path, files: Files) -> RoleSpec:
    for needed in (TASKS, SPEC):
        if str(needed) not in files:
            raise _wrong(role / needed, role, "is missing")
    where = [path for path in (VARS, DEFAULTS) if str(path) in files]
    known = {key for path in where for key in _keys(files[str(path)], role / path, role)}
    if missing := [f"{role.name}_{key}" for key in RUNTIME if f"{role.name}_{key}" not in known]:
        raise _wrong(role / VARS, role, f"lacks {', '.join(missing)}")
    try:
        spec = load_role(role)
    except DocumentError as error:
        raise _wrong(role / SPEC, role, str(error)) from None
    if foreign := [name for name in spec.options if not name.startswith(f"{role.name}_")]:
        raise _wrong(role / SPEC, role, f"has {quoted(foreign[0])}, which must begin with {role.name}_")
    return spec


def _keys(text: str, path: Path, role: Path) -> set[str]:
    """The names of the variables; the values are Ansible's business and may carry its own tags."""
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise _wrong(path, role, f"is not valid YAML: {str(error).splitlines()[0]}") from None
    return {str(key.value) for key, _ in node.value} if isinstance(node, yaml.MappingNode) else set()


def _wrong(path: Path, role: Path, message: str) -> DocumentError:
    where = quoted(str(Path(ROLES, role.name, path.relative_to(role))), 200)[1:-1]
    return DocumentError([Problem("", f"{where} {message}")])
