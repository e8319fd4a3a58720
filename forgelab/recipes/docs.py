"""Documentation made from what is declared: a page per recipe and a README per role, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from forgelab.recipes.labels import choice_label, grouped
from forgelab.recipes.model import Amount, Recipe
from forgelab.recipes.options import Option
from forgelab.recipes.placeholders import as_text
from forgelab.recipes.rolespec import RoleOption, RoleSpec, dump


def recipe_page(recipe: Recipe, today: date) -> str:
    """The page of a server type."""
    needs = recipe.requirements
    lines = [f"# {recipe.name}", "", recipe.tagline, "", recipe.description, "", "## Requirements", ""]
    lines += _table(
        ("", "at least", "recommended"),
        [
            ("Memory", *_sizes(needs.memory_mb)),
            ("Storage", *_sizes(needs.storage_mb)),
            ("Processor cores", str(needs.cores.minimum), str(needs.cores.recommended)),
        ],
    )
    lines += ["", "## Components", ""]
    for component in recipe.components:
        condition = f", if {component.when}" if component.when.terms else ""
        lines.append(f"- {component.role.title}{condition}")
    lines += ["", "## Options"]
    for title, options in grouped(recipe.options).items():
        lines += ["", f"### {title}" if title else "### General", ""]
        rows = [(f"`{option.name}`", option.label, _allowed(option, today), _default(option)) for option in options]
        lines += _table(("Option", "Meaning", "Allowed", "Default"), rows)
    return "\n".join(lines).strip() + "\n"


def role_page(role: RoleSpec) -> str:
    """The README of a role."""
    lines = [f"# {role.title}", "", role.description, "", "## Variables", ""]
    rows = [
        (f"`{o.name}`", _type(o), "" if o.secret else f"`{dump(o.default)}`", o.help) for o in role.options.values()
    ]
    return "\n".join(lines + _table(("Variable", "Type", "Default", "Meaning"), rows)).strip() + "\n"


def _sizes(amount: Amount) -> tuple[str, str]:
    return _size(amount.minimum), _size(amount.recommended)


def _size(megabytes: int) -> str:
    return f"{megabytes // 1024} GB" if megabytes % 1024 == 0 else f"{megabytes} MB"


def _allowed(option: Option, today: date) -> str:
    if option.kind == "select":
        return ", ".join(choice_label(option, choice, today) for choice in option.choices)
    if option.kind == "integer" and (option.minimum is not None or option.maximum is not None):
        return (
            f"{'' if option.minimum is None else option.minimum} to {'' if option.maximum is None else option.maximum}"
        )
    return {"boolean": "true, false", "integer": "a whole number"}.get(option.kind, "text")


def _default(option: Option) -> str:
    return "required" if option.default is None else f"`{as_text(option.default)}`" if option.default != "" else ""


def _type(option: RoleOption) -> str:
    return f"{option.type}: {', '.join(map(str, option.choices))}" if option.choices else option.type


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_row(head), _row(("---",) * len(head)), *(_row(row) for row in rows)]


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
