"""How an option's choices are shown to people, in forms and documentation alike."""

from __future__ import annotations

from datetime import date

from forgelab.recipes.options import Choice, Option


def choice_label(option: Option, choice: Choice, today: date) -> str:
    """`PHP 8.3 (recommended) · supported until 2027-12-31 · Ubuntu 24.04, vendor.example`, and for one that nobody
    mends any more `PHP 8.0 (end of life since 2023-11-26) · vendor.example`; an outlived default is not recommended."""
    status = option.versions.support(choice.value, today) if option.versions else None
    old = status.note if status else ""
    marks = [("default" if old else "recommended") if choice.value == option.default else "", old]
    remark = ", ".join(mark for mark in marks if mark)
    parts = [f"{choice.label} ({remark})" if remark else choice.label]
    if status and status.end and not status.ended:
        parts.append(f"supported until {status.end}")
    if option.versions:
        parts.append(", ".join(option.versions.origins(choice.value)))
    return " · ".join(filter(None, parts))


def choice_details(option: Option, choice: Choice, today: date) -> dict[str, object]:
    """The same as data; of a version with `support_ends` (a date or None), `end_of_life` and `sources`."""
    details: dict[str, object] = {"value": choice.value, "label": choice.label}
    if option.versions:
        status = option.versions.support(choice.value, today)
        details["support_ends"] = status.end.isoformat() if status.end else None
        details["end_of_life"] = status.ended
        details["sources"] = list(option.versions.origins(choice.value))
    return details


def grouped(options: tuple[Option, ...]) -> dict[str, list[Option]]:
    """The options by their group's title, in the manifest's order; those without one first, under ""."""
    groups: dict[str, list[Option]] = {"": []}
    for option in options:
        groups.setdefault(option.group, []).append(option)
    return {title: members for title, members in groups.items() if members}
