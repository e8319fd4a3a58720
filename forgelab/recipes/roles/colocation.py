"""What a role says of two servers that both bring it to one device: its `meta/sharing.yml`.

Without one, two servers may both bring it only where they give it the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forgelab.lib.problems import DocumentError, Problem, did_you_mean, listing

KEYS = ("once", "instead_of", "harmless", "apart_by", "in_common", "merged", "free")


@dataclass(frozen=True, slots=True)
class ColocationRules:
    """All names are of the role's variables in full, except `instead_of`, which are roles.

    `once`: a device has it once, whatever the values. `instead_of`: roles that cannot be beside it. `harmless`: with
    these values it changes nothing that another server's could mind. `apart_by`: what separates the work of two
    servers; where these have no word in common, only `in_common` must be equal. `merged`: lists that are joined, and
    switches that are on where one server wants them. `free`: may differ always.
    """

    once: bool = False
    instead_of: tuple[str, ...] = ()
    harmless: Mapping[str, object] = field(default_factory=dict)
    apart_by: tuple[str, ...] = ()
    in_common: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    free: tuple[str, ...] = ()


def read_rules(role: str, data: Mapping[str, object], variables: Mapping[str, object]) -> ColocationRules:
    """From the file's content. Raises DocumentError for an unknown key or variable."""
    problems = [
        Problem(key, f"is not known{did_you_mean(key, KEYS) or f'; there are {listing(KEYS)}'}")
        for key in data
        if key not in KEYS
    ]
    named = {key: _names(data.get(key), key, problems) for key in ("instead_of", *KEYS[3:])}
    harmless = data.get("harmless") or {}
    if not isinstance(harmless, dict):
        problems.append(Problem("harmless", "must be a mapping of variables to values"))
        harmless = {}
    if not isinstance(data.get("once", False), bool):
        problems.append(Problem("once", "must be true or false"))
    for key in KEYS[2:]:
        for name in harmless if key == "harmless" else named[key]:
            if f"{role}_{name}" not in variables:
                problems.append(Problem(key, f"{name} is no variable of the role"))
            elif key == "merged" and _type(variables[f"{role}_{name}"]) not in ("list", "bool"):
                problems.append(Problem(key, f"{name} is neither a list nor a switch (bool)"))
    if problems:
        raise DocumentError(problems)
    full = {key: tuple(f"{role}_{name}" for name in names) for key, names in named.items()}
    return ColocationRules(
        once=data.get("once") is True,
        instead_of=tuple(named["instead_of"]),
        harmless={f"{role}_{name}": value for name, value in harmless.items()},
        apart_by=full["apart_by"],
        in_common=full["in_common"],
        merged=full["merged"],
        free=full["free"],
    )


def _type(spec: object) -> object:
    return spec.get("type") if isinstance(spec, dict) else None


def _names(value: object, key: str, problems: list[Problem]) -> list[str]:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    if value is not None:
        problems.append(Problem(key, "must be a list of names"))
    return []
