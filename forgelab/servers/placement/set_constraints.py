"""What somebody demands of the places of a set: checked, and its types replaced by the names of their servers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError

from forgelab.devices.models import Device
from forgelab.devices.placement import Constraint
from forgelab.lib.problems import not_one_of
from forgelab.servers.spec.server_spec import ServerSpec

KINDS = ("together", "apart", "on", "not_on", "spread")


def checked(
    constraints: Sequence[Constraint], members: Sequence[ServerSpec], devices: Sequence[Device]
) -> list[Constraint]:
    """Raises `ValidationError` naming `constraints[0]` and so on."""
    by_type: dict[str, list[str]] = {}
    for member in members:
        by_type.setdefault(member.recipe.id, []).append(member.name)
    named = {**by_type, **{member.name: [member.name] for member in members}}
    choices = [*(member.name for member in members), *by_type]
    known = [device.name for device in devices]
    wrong = [_fault(constraint, choices, known) for constraint in constraints]
    if any(wrong):
        raise ValidationError({f"constraints[{number}]": said for number, said in enumerate(wrong) if said})
    return [_expanded(constraint, members, named) for constraint in constraints]


def _fault(constraint: Constraint, choices: Sequence[str], devices: Sequence[str]) -> str:
    """What is wrong with it, as a sentence; empty when nothing is."""
    if constraint.kind in ("on", "not_on") and constraint.device not in devices:
        return f"{not_one_of(constraint.device, devices)}; name a device there is."
    unknown = [name for name in constraint.names if name not in choices]
    return f"{not_one_of(unknown[-1], choices)}." if unknown else ""


def _expanded(constraint: Constraint, members: Sequence[ServerSpec], named: Mapping[str, Sequence[str]]) -> Constraint:
    names = constraint.names or [member.name for member in members]
    return dataclasses.replace(constraint, names=tuple(dict.fromkeys(each for name in names for each in named[name])))
