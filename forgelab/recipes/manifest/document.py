"""A whole `manifest.yaml`, in the specification's format, made into a Recipe or into the list of all its mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forgelab.lib.problems import DocumentError, Problem, Problems, listing
from forgelab.lib.reader import LONG, Reader, kind_of
from forgelab.lib.yamlfile import Document
from forgelab.recipes.manifest.components import Found, find_components, read_component
from forgelab.recipes.manifest.options import read_options
from forgelab.recipes.manifest.post_install import read_post_install, read_secrets
from forgelab.recipes.manifest.publishes import read_publishes
from forgelab.recipes.manifest.requirements import read_requirements
from forgelab.recipes.manifest.scope import Scope
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import Option
from forgelab.recipes.roles.spec import Roles

KEYS = (
    "id", "name", "category", "tagline", "description", "icon_url", "is_infrastructure", "server_type", "requirements",
    "components", "config_options", "secrets", "post_install", "publishes", "position",
)  # fmt: skip
ID = r"(?=.{1,60}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*"
ID_MEANS = "up to 60 lowercase letters, digits and single hyphens between them, starting with a letter"
SERVER_TYPE = r"[a-z][a-z0-9_]{0,39}"
LAST = 1000  # position of a type that names none
ICON = r"(https://[^\s<>\"']+)?"


def read_manifest(document: Document, roles: Roles, source: str = "") -> Recipe:
    """The recipe. Raises DocumentError with every mistake, with path and line."""
    if not isinstance(document.data, dict):
        raise DocumentError(
            [Problem("", f"must be a mapping with the keys id, name, ..., not {kind_of(document.data)}")]
        )
    problems = Problems(document.lines)
    top = Reader(document.data, "", problems, KEYS)
    found = find_components(top, roles)
    options, readers = read_options(top, (one.role for one in found))
    secrets = read_secrets(top)
    versions = [f"{one.role.name}_version".upper() for one in found]
    scope = Scope(problems, options, secrets, versions)
    for name in options.keys() & secrets.keys():
        problems.add(secrets[name][1], f'"{name}" is an option too; give one another name')
    recipe = Recipe(
        **_heading(top),
        requirements=read_requirements(top, options, roles.distributions),
        components=tuple(read_component(one, scope) for one in found),
        options=_visible(options, readers, scope),
        secrets=tuple(secret for secret, _ in secrets.values()),
        post_install=read_post_install(top, scope),
        source=source,
        publishes=read_publishes(top, scope),
        own_roles={},
    )
    recipe = replace(recipe, reads=tuple(scope.reads))
    _report_unused(scope, found, readers, {name: path for name, (_, path) in secrets.items()}, top)
    problems.raise_any()
    return recipe


def _heading(top: Reader) -> dict[str, Any]:
    if "is_infrastructure" in top and not top.flag("is_infrastructure"):
        top.wrong("is_infrastructure", "must be true: ForgeLab provisions infrastructure")
    return {
        "id": top.text("id", None, pattern=ID, means=ID_MEANS),
        "name": top.text("name", None, limit=100),
        "category": top.text("category", "infrastructure", limit=60),
        "tagline": top.text("tagline", ""),
        "description": top.text("description", "", limit=LONG),
        "icon": top.text("icon_url", "", limit=500, pattern=ICON, means="an address that starts with https://"),
        "server_type": top.text("server_type", None, pattern=SERVER_TYPE, means="a word such as app_server"),
        "position": top.integer("position", LAST, 1, LAST),
    }


def _visible(options: Mapping[str, Option | None], readers: Mapping[str, Reader], scope: Scope) -> tuple[Option, ...]:
    visible = []
    for name, option in options.items():
        condition = scope.condition(readers[name].data.get("visible_if"), readers[name].at("visible_if"))
        if name in condition.options:
            readers[name].wrong("visible_if", "must name another option")
        if option:
            visible.append(replace(option, visible_if=condition))
    _refuse_circles(visible, readers)
    return tuple(visible)


def _refuse_circles(options: list[Option], readers: Mapping[str, Reader]) -> None:
    above = {option.name: option.visible_if.options for option in options}
    for name in above:
        reached, ahead = set[str](), list(above[name])
        while ahead:
            other = ahead.pop()
            if other not in reached:
                reached.add(other)
                ahead += above.get(other, ())
        if name in reached and name not in above[name]:
            way = listing(sorted(reached - {name}))
            readers[name].wrong("visible_if", f"comes back to {name} itself by way of {way}")


def _report_unused(
    scope: Scope, found: list[Found], readers: Mapping[str, Reader], secrets: dict[str, str], top: Reader
) -> None:
    listed = top.data.get("components")
    if not isinstance(listed, list) or len(found) < len(listed):
        return  # what a component left out for its own mistake would have used is not known
    for one in found:
        scope.used |= one.role.options.keys()
    scope.report_unused({name: reader.at("name") for name, reader in readers.items()} | secrets)
