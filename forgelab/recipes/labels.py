"""How an option's choices are shown to people, in forms and documentation alike."""

from __future__ import annotations

from datetime import date

from forgelab.recipes.options import Choice, Option
from forgelab.recipes.versions import support


def choice_label(option: Option, choice: Choice, today: date) -> str:
    """`PHP 8.3 (recommended)`, `PHP 8.0 (end of life since 2023-11-26)`; an outlived default is not recommended."""
    chosen_anyway = choice.value == option.default
    old = support(option.role, choice.value, today).note if option.role and option.name.endswith("_version") else ""
    marks = [("default" if old else "recommended") if chosen_anyway else "", old]
    remark = ", ".join(mark for mark in marks if mark)
    return f"{choice.label} ({remark})" if remark else choice.label


def grouped(options: tuple[Option, ...]) -> dict[str, list[Option]]:
    """The options by their group's title, in the manifest's order; those without one first, under ""."""
    groups: dict[str, list[Option]] = {"": []}
    for option in options:
        groups.setdefault(option.group, []).append(option)
    return {title: members for title, members in groups.items() if members}
