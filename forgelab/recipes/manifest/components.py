"""`components` of a manifest: each a role, its values checked against what the role accepts."""

from __future__ import annotations

from dataclasses import dataclass

from forgelab.lib.problems import Problems, did_you_mean, listing, not_one_of, quoted
from forgelab.lib.reader import LONG, Reader, items_at, kind_of, text_at
from forgelab.recipes.manifest.scope import Scope
from forgelab.recipes.model import Component, Conditional
from forgelab.recipes.options import LISTS
from forgelab.recipes.placeholders import lone_placeholder, names_in
from forgelab.recipes.roles.spec import RoleOption, Roles, RoleSpec

LIMIT, ITEMS = 50, 200
OWN_KEYS = ("name", "version", "when")
PYTHON_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "dict": (dict,)}
RENAMED = {"peers": "connection_check"}  # roles that recipes of users may still call by their former names


@dataclass(frozen=True, slots=True)
class Found:
    """A component whose role is known, before its values are read."""

    reader: Reader
    role: RoleSpec


def find_components(top: Reader, roles: Roles) -> list[Found]:
    """The manifest's components and their roles; unknown, unreadable and repeated ones are problems."""
    found: dict[str, Found] = {}
    for path, item in top.items("components", LIMIT, required=True):
        reader = Reader(item, path, top.problems)
        if not isinstance(item, dict):
            continue
        name = reader.text("name", None)
        if name in found:
            reader.wrong("name", f'"{name}" stands twice; a role can be used once')
        elif name in roles.broken:
            reader.wrong("name", f"the role {name} cannot be read: {roles.broken[name]}")
        elif name in roles.specs:
            found[name] = Found(reader, roles.specs[name])
        elif name:
            hint = _now_called(name) or did_you_mean(name, roles.specs) or f"; there are {listing(roles.specs)}"
            reader.wrong("name", f"there is no role {quoted(name)}{hint}")
    if top.data.get("components") == []:
        top.wrong("components", "must have at least one component")
    return list(found.values())


def _now_called(name: str) -> str:
    return f'; it is called "{RENAMED[name]}" now' if name in RENAMED else ""


def read_component(found: Found, scope: Scope) -> Component:
    """The component with its values by the role's variable names."""
    reader, role = found.reader, found.role
    variables: dict[str, object] = {}
    for key, value in reader.data.items():
        if key not in OWN_KEYS:
            _read_variable(found, key, value, scope, variables)
    return Component(
        role=role,
        version=_version(found, scope),
        variables=variables,
        when=scope.condition(reader.data["when"], reader.at("when")) if "when" in reader else scope.implied(role.name),
    )


def _read_variable(found: Found, key: str, value: object, scope: Scope, variables: dict[str, object]) -> None:
    reader, role = found.reader, found.role
    variable = role.variable(key)
    if key == "config_template" and variable not in role.options:
        _own_template(found, value)
    elif variable not in role.options:
        hint = did_you_mean(key, role.keys()) or f"; it has {listing(role.keys())}"
        reader.wrong(key[:60], f"the role {role.name} has no such setting{hint}")
    elif variable in scope.options:
        reader.wrong(key, f"is decided by the option {variable}; leave it out here")
    else:
        variables[variable] = _Values(role.options[variable], scope).read(value, reader.at(key))


def _own_template(found: Found, value: object) -> None:
    """A role that takes no other template may still get the name the specification gives its own."""
    own = f"{found.role.name}.conf.tmpl"
    if value != own:
        found.reader.wrong("config_template", f'the role {found.role.name} has its own; write "{own}" or leave it out')


def _version(found: Found, scope: Scope) -> str:
    reader, role = found.reader, found.role
    version = reader.text("version", "", limit=30)
    variable = role.variable("version")
    option = scope.options.get(variable)
    if version and variable not in role.options and version != "latest":
        reader.wrong("version", f'the role {role.name} installs what the device offers; write "latest" or leave it out')
    elif option and version not in ("", option.default):
        reader.wrong(
            "version", f"{quoted(version)} differs from the default of {variable}, which decides; leave it out"
        )
    elif version and variable in role.options and variable not in scope.options:
        _Values(role.options[variable], scope).read(version, reader.at("version"))
    return version


class _Values:
    """Checks a value against a role's option of type str, int, list and so on, and finds conditional list items."""

    def __init__(self, option: RoleOption, scope: Scope) -> None:
        self.option, self.scope = option, scope
        self.problems: Problems = scope.problems

    def read(self, value: object, path: str) -> object:
        if self.option.type != "list":
            return self._one(value, path, self.option.type)
        if lone_placeholder(value):
            self.scope.placeholders(value, path, secrets=True)
            return self._list(value, path)
        return [self._item(item, below) for below, item in items_at(value, path, self.problems, ITEMS)]

    def _list(self, value: object, path: str) -> object:
        if self.scope.kind(lone_placeholder(value)) not in (*LISTS, None):
            self.problems.add(path, "must be a list, or exactly one ${OPTION} of type networks or servers")
        return value

    def _item(self, item: object, path: str) -> object:
        if isinstance(item, dict) and "value" in item and "when" in item:
            reader = Reader(item, path, self.problems, ("value", "when"))
            condition = self.scope.condition(item["when"], reader.at("when"))
            return Conditional(self._one(item["value"], reader.at("value"), ""), condition)
        return self._one(item, path, "")

    def _one(self, value: object, path: str, kind: str) -> object:
        kind = kind or ("str" if isinstance(value, (str, float, int, bool)) else "raw")
        self.scope.placeholders(value, path, secrets=True)
        if isinstance(value, str) and any(True for _ in names_in(value)):
            self._placeholder(value, path, kind)
        elif kind in ("str", "path"):
            value = text_at(value, path, self.problems, limit=LONG)
            self._choice(value, path)
        elif kind in PYTHON_TYPES:
            if not isinstance(value, PYTHON_TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
                self.problems.add(path, f"must be {kind}, not {kind_of(value)}")
            self._choice(value, path)
        return value

    def _placeholder(self, value: str, path: str, kind: str) -> None:
        lone = lone_placeholder(value)
        is_a = self.scope.kind(lone) if lone else "string"
        wanted = {"int": "integer", "bool": "boolean"}.get(kind)
        if wanted and is_a not in (wanted, None):
            self.problems.add(path, f"must be {kind}: a value, or exactly one ${{OPTION}} of type {wanted}")
        elif kind in ("str", "path") and is_a in LISTS and self.option.type != "list":
            self.problems.add(path, f"must be text, but ${{{lone}}} is a list; the setting takes one value")

    def _choice(self, value: object, path: str) -> None:
        if self.option.choices and value != "" and value not in self.option.choices:
            self.problems.add(path, not_one_of(value, self.option.choices))
