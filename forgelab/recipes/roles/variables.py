"""Names of a role's variables in its `meta/forgelab.yml`, where they stand without the role's name."""

from __future__ import annotations

from collections.abc import Mapping

from forgelab.lib.problems import did_you_mean, listing
from forgelab.lib.reader import Reader


def full_name(reader: Reader, key: str, name: str, role: str, options: Mapping[str, object]) -> str:
    """`password` as `redis_password`; a problem at `key` where the role has no such variable."""
    if f"{role}_{name}" not in options:
        known = [each.removeprefix(f"{role}_") for each in options]
        hint = did_you_mean(name, known) or f"; it has {listing(known)}"
        reader.wrong(key[:60], f"{name[:60]} is no variable of the role{hint}")
    return f"{role}_{name}"
