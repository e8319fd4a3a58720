"""The options of a recipe, and the one place that decides whether a chosen value is good."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forgelab.recipes.conditions import ALWAYS, Condition
from forgelab.recipes.problems import ConfigInvalid, did_you_mean, listing, not_one_of, quoted
from forgelab.recipes.reader import kind_of, unsuitable

KINDS = ("select", "boolean", "integer", "string")
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
INTEGER_LIMIT = 2**53 - 1  # what JSON readers keep exactly
MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a select, and how it is shown (`postgresql`, `PostgreSQL`)."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Option:
    """A question to whoever provisions. Without a `default` it must be answered. `role` says whose variable it sets."""

    name: str
    label: str
    kind: str
    default: bool | int | str | None = None
    help: str = ""
    choices: tuple[Choice, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    pattern: str = ""
    group: str = ""
    visible_if: Condition = ALWAYS
    role: str | None = None

    @property
    def required(self) -> bool:
        return self.default is None

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(choice.value for choice in self.choices)

    def clean(self, value: object) -> bool | int | str:
        """The value, checked. Raises ValueError with a sentence saying what is allowed."""
        if self.kind == "select":
            return self._one_of_the_choices(value)
        if self.kind == "boolean":
            if not isinstance(value, bool):
                raise ValueError(f"must be true or false, not {quoted(value)}")
            return value
        return self._whole_number(value) if self.kind == "integer" else self._line(value)

    def parse(self, text: str) -> object:
        """The value that a text from a command line or a form field means; what it cannot mean is left as it is."""
        if self.kind == "boolean":
            return WORDS.get(text.strip().lower(), text)
        if self.kind == "integer" and re.fullmatch(r"-?[0-9]{1,16}", text.strip()):
            return int(text)
        return text

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


def clean(options: Iterable[Option], values: Mapping[str, object]) -> dict[str, object]:
    """Every option's value: the chosen one, checked, or the default. Raises ConfigInvalid with all errors at once."""
    by_name = {option.name: option for option in options}
    errors = {str(name): _unknown(name, by_name) for name in values if name not in by_name}
    config: dict[str, object] = {}
    for name, option in by_name.items():
        if name not in values:
            config[name] = option.default
            if option.required:
                errors[name] = f"is needed: {_allowed(option)}"
            continue
        try:
            config[name] = option.clean(values[name])
        except ValueError as error:
            errors[name] = str(error)
    if errors:
        raise ConfigInvalid(errors)
    return config


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
    return {"boolean": "true or false", "integer": "a whole number"}.get(option.kind, "a line of text")
