"""`publishes` of a manifest: what a server of this type publishes to the servers that name it in an option."""

from __future__ import annotations

import re

from forgelab.lib.problems import quoted
from forgelab.lib.reader import Reader, items_at, text_at
from forgelab.recipes.conditions import ALWAYS
from forgelab.recipes.manifest.options import NAME, NAME_MEANS
from forgelab.recipes.manifest.scope import KNOWN, Scope
from forgelab.recipes.model import Conditional, Published
from forgelab.recipes.placeholders import names_in

LIMIT = 30
RESERVED = (*KNOWN, "addresses")  # what ForgeLab knows of every server by itself


def read_publishes(top: Reader, scope: Scope) -> tuple[Published, ...]:
    """Each name with its value, or with the list of its values of which the first whose `when` holds counts."""
    if "publishes" not in top:
        return ()
    reader = Reader(top.data["publishes"], "publishes", top.problems)
    if len(reader.data) > LIMIT:
        top.wrong("publishes", f"has {len(reader.data)} names; {LIMIT} are allowed")
    found = []
    for name, value in list(reader.data.items())[:LIMIT]:
        if name in RESERVED:
            reader.wrong(name, "is known of every server by itself; leave it out")
        elif not re.fullmatch(NAME, name):
            reader.wrong(name[:60], f"{quoted(name)} must be {NAME_MEANS}")
        else:
            found.append(Published(name, _values(value, reader.at(name), scope)))
    return tuple(found)


def _values(value: object, path: str, scope: Scope) -> tuple[Conditional, ...]:
    if not isinstance(value, list):
        return (Conditional(_value(value, path, scope), ALWAYS),)
    return tuple(_case(item, at, scope) for at, item in items_at(value, path, scope.problems, LIMIT))


def _case(item: object, path: str, scope: Scope) -> Conditional:
    reader = Reader(item, path, scope.problems, ("value", "when"))
    if "value" not in reader and isinstance(item, dict):
        reader.wrong("value", "is missing")
    condition = scope.condition(reader.data.get("when"), reader.at("when"))
    return Conditional(_value(reader.data.get("value", ""), reader.at("value"), scope), condition)


def _value(value: object, path: str, scope: Scope) -> object:
    if isinstance(value, (bool, int)):
        return value
    text = text_at(value, path, scope.problems)
    scope.placeholders(text, path, secrets=True)
    for name in names_in(text):
        if scope.link(name) or name.endswith("_ADDRESSES"):
            scope.problems.add(path, f"must not pass on ${{{name[:60]}}}, which is another server's")
    return text
