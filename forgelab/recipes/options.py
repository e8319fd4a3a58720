"""The options of a recipe, and the one place that decides whether a chosen value is good."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from forgelab.lib.problems import ConfigInvalid, did_you_mean, listing, not_one_of, quoted
from forgelab.lib.reader import kind_of, unsuitable
from forgelab.recipes import lists
from forgelab.recipes.conditions import ALWAYS, Condition
from forgelab.recipes.versions.support import Versions

KINDS = ("select", "boolean", "integer", "string", "networks", "server", "servers")
LISTS = ("networks", "servers")
Value = bool | int | str | list[str]
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
INTEGER_LIMIT = 2**53 - 1  # what JSON readers keep exactly
MAX_LENGTH = 255
ALLOWED = {
    "boolean": "true or false",
    "integer": "a whole number",
    "networks": f"a list of networks {lists.NETWORK_EXAMPLE}",
    "servers": "a list of servers' names",
    "server": "a server's name",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a select, and how it is shown (`postgresql`, `PostgreSQL`)."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Option:
    """A question to the user. Without a `default` it must be answered. `role` says whose variable it sets.

    `server_types` are the recipes whose servers a `server` or `servers` option may name; empty means any.
    Of an option that chooses a version, `versions` says what is known of each.
    """

    name: str
    label: str
    kind: str
    default: bool | int | str | tuple[str, ...] | None = None
    help: str = ""
    choices: tuple[Choice, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    pattern: str = ""
    group: str = ""
    visible_if: Condition = ALWAYS
    role: str | None = None
    server_types: tuple[str, ...] = ()
    versions: Versions | None = None

    @property
    def required(self) -> bool:
        return self.default is None

    @property
    def initial(self) -> Value:
        """The value while nobody has chosen one: the default; of a required option one that says nothing."""
        if self.default is not None:
            return list(self.default) if isinstance(self.default, tuple) else self.default
        if self.kind == "select":
            return self.values[0]
        if self.kind == "integer":
            return min(0, self.maximum or 0) if self.minimum is None else self.minimum
        return False if self.kind == "boolean" else [] if self.kind in LISTS else ""

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(choice.value for choice in self.choices)

    def clean(self, value: object) -> Value:
        """The value, checked. Raises ValueError with a sentence saying what is allowed."""
        return _CLEANERS[self.kind](self, value)

    def parse(self, text: str) -> object:
        """The value that a text from a command line or a form field means; what it cannot mean is left as it is."""
        if self.kind == "boolean":
            return WORDS.get(text.strip().lower(), text)
        if self.kind == "integer" and re.fullmatch(r"-?[0-9]{1,16}", text.strip()):
            return int(text)
        return lists.split(text) if self.kind in LISTS else text

    def _true_or_false(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {quoted(value)}")
        return value

    def _one_of_the_choices(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.values:
            raise ValueError(not_one_of(value, self.values))
        return value

    def _whole_number(self, value: object) -> int:
        lowest = -INTEGER_LIMIT if self.minimum is None else self.minimum
        highest = INTEGER_LIMIT if self.maximum is None else self.maximum
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}, not {quoted(value)}")
        return value

    def _line(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be text, not {kind_of(value)}")
        text = unicodedata.normalize("NFC", value)
        if fault := unsuitable(text):
            raise ValueError(fault)
        if len(text) > MAX_LENGTH:
            raise ValueError(f"is {len(text)} characters long; {MAX_LENGTH} are allowed")
        if self.required and not text.strip():
            raise ValueError("must not be empty")
        if self.pattern and text and not re.fullmatch(self.pattern, text):
            raise ValueError(f"{quoted(text)} does not match {self.pattern}" + (f". {self.help}" if self.help else ""))
        return text

    def _networks(self, value: object) -> list[str]:
        return self._at_least_one(lists.each(value, f"networks {lists.NETWORK_EXAMPLE}", lists.network))

    def _servers(self, value: object) -> list[str]:
        return self._at_least_one(lists.each(value, "names of servers", lists.server_name))

    def _at_least_one(self, items: list[str]) -> list[str]:
        if self.required and not items:
            raise ValueError("must not be empty")
        return items

    def _server(self, value: object) -> str:
        if value == "" and not self.required:
            return ""
        if value == "":
            raise ValueError("must not be empty")
        return lists.server_name(value)


_CLEANERS: Mapping[str, Callable[[Option, object], Value]] = {
    "select": Option._one_of_the_choices,
    "boolean": Option._true_or_false,
    "integer": Option._whole_number,
    "string": Option._line,
    "networks": Option._networks,
    "servers": Option._servers,
    "server": Option._server,
}


def clean(options: Iterable[Option], values: Mapping[str, object]) -> dict[str, object]:
    """Every option's value: the chosen one, checked, or the default. Raises ConfigInvalid with all errors at once.

    A hidden option (see `visible`) need not be answered, and has its default whatever was chosen for it: what cannot
    be seen has no effect. Its value must still be one that the option allows.
    """
    by_name = {option.name: option for option in options}
    errors = {str(name): _unknown(name, by_name) for name in values if name not in by_name}
    config: dict[str, object] = {}
    for name, option in by_name.items():
        config[name] = option.initial
        if name not in values:
            if option.required:
                errors[name] = f"is needed: {_allowed(option)}"
            continue
        try:
            config[name] = option.clean(values[name])
        except ValueError as error:
            errors[name] = str(error)
    for option in hidden(by_name.values(), config):
        config[option.name] = option.initial
        if option.required and _unanswered(option, values):
            errors.pop(option.name, None)
    if errors:
        raise ConfigInvalid(errors)
    return config


def hidden(options: Iterable[Option], config: Mapping[str, object]) -> list[Option]:
    """The options that do not apply with this config: their `visible_if` fails, or names an option that is hidden."""
    by_name = {option.name: option for option in options}
    seen: dict[str, bool] = {}

    def applies(option: Option) -> bool:
        if option.name not in seen:
            seen[option.name] = False  # what depends on itself never applies; manifests with such are refused
            above = [by_name[name] for name in option.visible_if.options if name in by_name]
            seen[option.name] = option.visible_if.holds(config) and all(map(applies, above))
        return seen[option.name]

    return [option for option in by_name.values() if not applies(option)]


def _unanswered(option: Option, values: Mapping[str, object]) -> bool:
    value = values.get(option.name)
    return value in (None, "", []) or (type(value) is type(option.initial) and value == option.initial)


def clean_text(options: Iterable[Option], values: Mapping[str, str]) -> dict[str, object]:
    """The same for values that came as text (`--set include_redis=false`)."""
    options = tuple(options)
    by_name = {option.name: option for option in options}
    return clean(options, {key: by_name[key].parse(text) if key in by_name else text for key, text in values.items()})


def _unknown(name: object, by_name: Mapping[str, Option]) -> str:
    hint = did_you_mean(name, by_name)
    return (
        f"is not an option of this recipe{hint}"
        if hint
        else f"is not an option of this recipe; there are {listing(by_name)}"
    )


def _allowed(option: Option) -> str:
    if option.kind == "select":
        return f"one of {listing(option.values)}"
    return ALLOWED.get(option.kind, "a line of text")
