"""`meta/sharing.yml`, which roles of users may still have: the colocation rules under their former names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from forgelab.lib.problems import Problems
from forgelab.lib.reader import Reader
from forgelab.lib.yamlfile import parse
from forgelab.recipes.roles.colocation import ColocationRules, read_rules

SHARING = Path("meta/sharing.yml")
RENAMED = {
    "once": "exclusive",
    "instead_of": "conflicts",
    "harmless": "exempt_if",
    "apart_by": "partition_by",
    "in_common": "must_match",
    "free": "may_differ",
}


def read_sharing(folder: Path, options: Mapping[str, object]) -> ColocationRules:
    """Raises DocumentError for what cannot be meant, in the words of `meta/forgelab.yml`."""
    document = parse((folder / SHARING).read_bytes())
    problems = Problems(document.lines)
    data = Reader(document.data or {}, "", problems).data
    renamed = {RENAMED.get(key, key): value for key, value in data.items()}
    rules = read_rules(Reader({"colocation": renamed}, "", problems), folder.name, options)
    problems.raise_any()
    return rules
