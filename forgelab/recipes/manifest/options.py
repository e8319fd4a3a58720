"""`config_options` of a manifest. An option named like a role's variable inherits what the role says of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from forgelab.lib.problems import listing, not_one_of
from forgelab.lib.reader import Reader, text_at
from forgelab.recipes.context import OVERRIDABLE
from forgelab.recipes.options import INTEGER_LIMIT, KINDS, LISTS, Choice, Option
from forgelab.recipes.roles.spec import RoleOption, RoleSpec
from forgelab.recipes.versions.support import Versions

KEYS = (
    "name", "label", "type", "options", "server_types", "default", "help", "min", "max", "pattern", "list_of", "group",
    "visible_if",
)  # fmt: skip
SERVER_TYPE = r"[a-z][a-z0-9-]{0,59}"
SERVER_TYPE_MEANS = "the id of a recipe, such as database-server"
NAME = r"[a-z][a-z0-9_]{0,59}"
NAME_MEANS = "lowercase letters, digits and underscores, starting with a letter"
KIND_OF_TYPE = {"str": "string", "path": "string", "bool": "boolean", "int": "integer"}
LIMIT = 100


class OptionReader:
    """Reads one option; `owner` is the role whose variable it sets, with what that role says of it."""

    def __init__(self, reader: Reader, roles: Iterable[RoleSpec]) -> None:
        self.reader, self.problems = reader, reader.problems
        self.name = reader.text("name", None, pattern=NAME, means=NAME_MEANS)
        self.roles = tuple(roles)
        self.owner = next((role for role in self.roles if self.name in role.options), None)
        self.inherited = self.owner.options[self.name] if self.owner else RoleOption(self.name)

    def read(self) -> Option | None:
        """The option, or None with problems reported. `visible_if` is added when all options are known."""
        known = len(self.problems)
        kind = self._kind()
        choices = self._choices() if kind == "select" else ()
        minimum, maximum = self._bounds(kind)
        option = Option(
            name=self.name,
            label=self.reader.text("label", "") or self._label(),
            kind=kind,
            help=self.reader.text("help", "", limit=1000) or self.inherited.help,
            choices=choices,
            minimum=minimum,
            maximum=maximum,
            pattern=self._pattern(kind),
            group=self.reader.text("group") if "group" in self.reader or not self.owner else self.owner.title,
            role=self.owner.name if self.owner else None,
            server_types=self._server_types(kind),
            versions=self._versions(),
        )
        if self.name.upper() in OVERRIDABLE and kind != "string":
            self.reader.wrong("type", f'must be "string": the option stands for ${{{self.name.upper()}}}')
        default = self._default(option) if len(self.problems) == known else None
        return replace(option, default=default) if len(self.problems) == known else None

    def _versions(self) -> Versions | None:
        """What is known of the versions, where the option chooses one."""
        is_version = self.owner and self.name == self.owner.variable("version")
        return self.owner.versions if self.owner and is_version and self.owner.versions.known else None

    def _kind(self) -> str:
        offered = self._offered_kind()
        if self.owner and not offered and (self.inherited.type, self.reader.data.get("type")) != ("list", "networks"):
            self.reader.wrong("name", f"{self.name} is a {self.inherited.type}, which an option cannot set")
        if "type" not in self.reader:
            if "options" in self.reader:
                return "select"
            if not self.owner:
                self.reader.wrong("type", f"is missing; it is one of {listing(KINDS)}")
            return offered or "string"
        kind = self.reader.text("type")
        if kind and kind not in KINDS:
            self.reader.wrong("type", not_one_of(kind, KINDS))
        elif kind and offered and kind != offered and {kind, offered} != {"select", "string"}:
            self.reader.wrong("type", f'is "{kind}", but {self.name} is of type {offered}')
        return kind if kind in KINDS else "string"

    def _offered_kind(self) -> str:
        if not self.owner:
            return ""
        return "select" if self.inherited.choices else KIND_OF_TYPE.get(self.inherited.type, "")

    def _choices(self) -> tuple[Choice, ...]:
        allowed = [str(choice) for choice in self.inherited.choices]
        if "options" not in self.reader and allowed:
            return tuple(Choice(value, self._choice_label(value)) for value in allowed)
        found: dict[str, Choice] = {}
        for path, item in self.reader.items("options", LIMIT, required=True):
            choice = self._choice(path, item)
            if choice.value in found:
                self.problems.add(path, f'"{choice.value}" stands twice')
            elif choice.value and allowed and choice.value not in allowed:
                self.problems.add(path, not_one_of(choice.value, allowed) + f" (what {self.name} accepts)")
            found[choice.value] = choice
        if not found and isinstance(self.reader.data.get("options"), list):
            self.reader.wrong("options", "must have at least one value")
        return tuple(found.values())

    def _choice(self, path: str, item: object) -> Choice:
        if isinstance(item, dict):
            reader = Reader(item, path, self.problems, ("value", "label"))
            value = reader.text("value", None)
            return Choice(value, reader.text("label", "") or self._choice_label(value))
        value = text_at(item, path, self.problems)
        return Choice(value, self._choice_label(value))

    def _choice_label(self, value: str) -> str:
        """Of a version with its role's title; of an option that decides between components, their titles."""
        if self.owner:
            return f"{self.owner.title} {value}" if self.name == self.owner.variable("version") else value
        return next((role.title for role in self.roles if role.name == value), value)

    def _bounds(self, kind: str) -> tuple[int | None, int | None]:
        for key in ("min", "max"):
            if key in self.reader and kind != "integer":
                self.reader.wrong(key, "is only for options of type integer")
        minimum = self.reader.integer("min", None, -INTEGER_LIMIT, INTEGER_LIMIT)
        maximum = self.reader.integer("max", None, -INTEGER_LIMIT, INTEGER_LIMIT)
        if minimum is not None and maximum is not None and minimum > maximum:
            self.reader.wrong("min", f"{minimum} is more than max, {maximum}")
        return minimum, maximum

    def _pattern(self, kind: str) -> str:
        if "list_of" in self.reader:
            return self._list_of(kind)
        if "pattern" not in self.reader:
            return ""
        if kind != "string":
            self.reader.wrong("pattern", "is only for options of type string")
        pattern = self.reader.text("pattern", "", limit=500)
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            self.reader.wrong("pattern", f"is not a regular expression: {error}")
        return pattern

    def _list_of(self, kind: str) -> str:
        """The pattern of a text with commas between values that a role's variable accepts."""
        if kind != "string" or "pattern" in self.reader:
            self.reader.wrong("list_of", "is only for options of type string without a pattern")
        variable = self.reader.text("list_of")
        known = {name: option for role in self.roles for name, option in role.options.items() if option.choices}
        if variable not in known:
            self.reader.wrong("list_of", f"{not_one_of(variable, known)} (variables of the roles that have choices)")
            return ""
        one = "|".join(re.sub(r"([^\w-])", r"[\1]", str(choice)) for choice in known[variable].choices)
        return f"({one})( *, *({one}))*"

    def _server_types(self, kind: str) -> tuple[str, ...]:
        if "server_types" not in self.reader:
            return ()
        if kind not in ("server", "servers"):
            self.reader.wrong("server_types", "is only for options of type server or servers")
        items = self.reader.items("server_types", LIMIT)
        read = [text_at(i, at, self.problems, pattern=SERVER_TYPE, means=SERVER_TYPE_MEANS) for at, i in items]
        return tuple(name for name in read if name)

    def _default(self, option: Option) -> bool | int | str | tuple[str, ...] | None:
        if "default" not in self.reader and option.kind in LISTS:
            return ()
        if "default" not in self.reader and not self.owner:
            return None
        default = self.reader.data["default"] if "default" in self.reader else self._inherited_default()
        if "default" not in self.reader and (default is None or "{{" in str(default)):
            self.reader.wrong("default", f"is missing, and the role works out {self.name} by itself; write one here")
            return None
        if option.kind in ("server", "servers") and default:
            self.reader.wrong("default", "must be empty: which servers there are, no recipe knows")
            return None
        try:
            cleaned = replace(option, default="").clean(default)
            return tuple(cleaned) if isinstance(cleaned, list) else cleaned
        except ValueError as error:
            hint = f'; write it in quotes: "{default}"' if isinstance(default, float) else ""
            self.reader.wrong("default", f"{error}{hint}")
            return None

    def _inherited_default(self) -> object:
        return self.owner.default_version if self.owner and self._versions() else self.inherited.default

    def _label(self) -> str:
        words = self.name.removeprefix(f"{self.owner.name}_") if self.owner else self.name
        text = words.replace("_", " ")
        return f"{self.owner.title} {text}" if self.owner else text[:1].upper() + text[1:]


def read_options(top: Reader, roles: Iterable[RoleSpec]) -> tuple[dict[str, Option | None], dict[str, Reader]]:
    """Every option by name (None where it is wrong), and where each stands in the manifest."""
    roles = tuple(roles)
    options: dict[str, Option | None] = {}
    readers: dict[str, Reader] = {}
    for path, item in top.items("config_options", LIMIT):
        reader = Reader(item, path, top.problems, KEYS)
        if not isinstance(item, dict):
            continue
        one = OptionReader(reader, roles)
        if one.name in options:
            reader.wrong("name", f'"{one.name}" stands twice')
        option = one.read()
        if one.name:
            options[one.name], readers[one.name] = option, reader
    return options, readers
