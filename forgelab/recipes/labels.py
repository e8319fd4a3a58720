"""How an option's choices are shown to people, in forms and documentation alike."""

from __future__ import annotations

from datetime import date

from forgelab.recipes.options import Choice, Option


def choice_label(option: Option, choice: Choice, today: date) -> str:
    """`PHP 8.3 (recommended)`, short enough for a select box on a phone; `PHP 8.0 (end of life)` for a version that
    gets no more security fixes. A default at its end of life is not recommended."""
    old = option.versions is not None and option.versions.support(choice.value, today).ended
    marks = [("default" if old else "recommended") if choice.value == option.default else "", old and "end of life"]
    remark = ", ".join(mark for mark in marks if mark)
    return f"{choice.label} ({remark})" if remark else choice.label


def choice_note(option: Option, choice: Choice, today: date) -> str:
    """What the label leaves out, `supported until 2027-12-31, from Ubuntu 24.04 or vendor.example`; "" where nothing
    is known of it, and for a choice that is no version."""
    if not option.versions:
        return ""
    status = option.versions.support(choice.value, today)
    until = f"supported until {status.end}" if status.end else ""
    origins = " or ".join(option.versions.origins(choice.value))
    return ", ".join(filter(None, [status.note or until, origins and f"from {origins}"]))


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
