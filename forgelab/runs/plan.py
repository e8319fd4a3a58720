"""A plan: what a run will do, complete and independent of any domain's models."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Stored with each plan. Raise it when a role or variable that plans name is renamed or comes to mean something else:
# a run that was queued before ForgeLab was updated would otherwise do half of it, or another thing.
FORMAT = 2


class OutdatedPlan(Exception):
    """An earlier ForgeLab made the plan, for roles as they were then."""


@dataclass(frozen=True)
class PlannedRole:
    """One role of the play, which is one step of the run.

    `variables` are data and are never templated. `secrets` likewise, and end up in the vault file. `expressions` are
    Jinja written by ForgeLab itself, such as the union of all roles' packages. An `always` role runs whatever
    `--tags` somebody asks for, because the others need what it finds out.
    """

    name: str
    title: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)
    expressions: Mapping[str, str] = field(default_factory=dict)
    always: bool = False


@dataclass(frozen=True)
class Plan:
    """A play: its `slug` names playbook, group and variable files.

    `generated_roles` maps the name of a role to its files (path to text); `timeout_seconds` bounds the whole run;
    a `repeatable` plan may be run again by itself after its worker died. With `check` nothing is changed: Ansible only
    says what would be. `hidden` are texts that no role is given, but that must not be shown where a device has them.
    """

    slug: str
    title: str
    roles: tuple[PlannedRole, ...]
    generated_roles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    repeatable: bool = True
    timeout_seconds: int = 3600
    check: bool = False
    hidden: tuple[str, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Raises `OutdatedPlan`."""
        if not is_current(data):
            raise OutdatedPlan
        roles = tuple(PlannedRole(**role) for role in data["roles"])
        fields = {name: value for name, value in data.items() if name != "format"}
        return cls(**{**fields, "roles": roles, "hidden": tuple(data.get("hidden", ()))})


def is_current(data: Mapping[str, Any]) -> bool:
    """Whether this ForgeLab can run the stored plan."""
    return data.get("format") == FORMAT
