"""What a role says of two servers that both bring it to one device: `colocation` in its `meta/forgelab.yml`.

Without it, two servers may both bring it only where they give it the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forgelab.lib.reader import Reader, text_at
from forgelab.recipes.roles.variables import full_name

KEYS = ("exclusive", "conflicts", "exempt_if", "partition_by", "must_match", "merged", "may_differ")
LIMIT = 50


@dataclass(frozen=True, slots=True)
class ColocationRules:
    """All names are of the role's variables in full, except `conflicts`, which are roles.

    `exclusive`: a device has it once, whatever the values. `conflicts`: roles that cannot be beside it. `exempt_if`:
    with these values nothing conflicts. `partition_by`: what separates the work of two servers; where these have no
    word in common, only `must_match` must be equal. `merged`: lists that are joined, and switches that are on where one
    server wants them. `may_differ`: may differ always.
    """

    exclusive: bool = False
    conflicts: tuple[str, ...] = ()
    exempt_if: Mapping[str, object] = field(default_factory=dict)
    partition_by: tuple[str, ...] = ()
    must_match: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    may_differ: tuple[str, ...] = ()


def read_rules(top: Reader, role: str, options: Mapping[str, object]) -> ColocationRules:
    """The section `colocation`, in which variables stand without the role's name."""
    reader = Reader(top.data.get("colocation", {}), top.at("colocation"), top.problems, KEYS)
    exempt = Reader(reader.data.get("exempt_if", {}), reader.at("exempt_if"), top.problems)
    variables = {
        key: tuple(full_name(reader, key, name, role, options) for name in _names(reader, key))
        for key in ("partition_by", "must_match", "merged", "may_differ")
    }
    for name in variables["merged"]:
        spec = options.get(name, {})
        if name in options and not (isinstance(spec, dict) and spec.get("type") in ("list", "bool")):
            reader.wrong("merged", f"{name.removeprefix(f'{role}_')} is neither a list nor a switch (bool)")
    return ColocationRules(
        exclusive=reader.flag("exclusive"),
        conflicts=_names(reader, "conflicts"),
        exempt_if={full_name(exempt, name, name, role, options): value for name, value in exempt.data.items()},
        **variables,
    )


def _names(reader: Reader, key: str) -> tuple[str, ...]:
    names = (text_at(item, path, reader.problems) for path, item in reader.items(key, LIMIT))
    return tuple(name for name in names if name)
