"""`when` and `visible_if`: which components, list items and steps a choice of options brings in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when every named option has one of its listed values; an empty one always holds.

    Of texts, servers and networks, `true` means that there is some and `false` that there is none.
    """

    terms: tuple[tuple[str, tuple[object, ...]], ...] = ()

    def holds(self, config: Mapping[str, object]) -> bool:
        return all(_among(config.get(name), allowed) for name, allowed in self.terms)

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.terms)

    def __str__(self) -> str:
        return " and ".join(
            f"{name} is {' or '.join(_word(value) for value in allowed)}" for name, allowed in self.terms
        )


ALWAYS = Condition()


def _among(value: object, allowed: tuple[object, ...]) -> bool:
    if isinstance(value, (list, str)) and any(isinstance(item, bool) for item in allowed):
        return bool(value) in allowed
    return any(type(value) is type(item) and value == item for item in allowed)


def _word(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
