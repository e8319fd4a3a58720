"""Reads `versions` of a role's `meta/forgelab.yml`."""

from __future__ import annotations

import re
from datetime import date

from forgelab.lib.problems import did_you_mean, not_one_of, quoted
from forgelab.lib.reader import Reader, text_at
from forgelab.recipes.versions.distributions import RELEASE
from forgelab.recipes.versions.support import BINARIES, VENDOR, Binaries, Version, Versions
from forgelab.recipes.versions.vendors import read_vendor

KEYS = ("source", "choices", "recommended", "known", VENDOR, BINARIES)
NAME, NAME_MEANS = r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}", "a version in quotes, such as 8.3"
WORD = r"[a-z0-9_]{2,16}"
LIMIT = 100


def read_versions(top: Reader) -> Versions:
    """Without the titles of the distributions, which are another role's to say."""
    reader = Reader(top.data.get("versions", {}), "versions", top.problems, KEYS)
    known = _known(reader)
    choices = _choices(reader) or tuple(known)
    recommended = reader.text("recommended", pattern=NAME, means=NAME_MEANS)
    if recommended and recommended not in choices:
        reader.wrong("recommended", not_one_of(recommended, choices))
    path = reader.at(VENDOR)
    return Versions(
        known=known,
        source=reader.text("source", None if known else "", pattern=r"https://\S+", means="an address (https://...)"),
        choices=choices,
        recommended=recommended,
        vendor=read_vendor(reader.data[VENDOR], path, top.problems) if VENDOR in reader else None,
        binaries=_binaries(reader),
    )


def _known(reader: Reader) -> dict[str, Version]:
    section = Reader(reader.data.get("known", {}), reader.at("known"), reader.problems)
    found = {}
    for name, data in section.data.items():
        if not re.fullmatch(NAME, name):
            section.wrong(name[:60], f"{quoted(name)} must be {NAME_MEANS}")
        one = Reader(data, section.at(name), reader.problems, ("supported_until", "sources"))
        sources = tuple(_source(one, path, item) for path, item in one.items("sources", LIMIT))
        for source in {VENDOR, BINARIES} & set(sources):
            if source not in reader:
                one.wrong("sources", f"names {source}, which versions.{source} does not describe")
        found[name] = Version(_date(one), sources)
    return found


def _source(reader: Reader, path: str, item: object) -> str:
    source = text_at(item, path, reader.problems)
    if source and not re.fullmatch(RELEASE, source):
        hint = did_you_mean(source, (VENDOR, BINARIES))
        reader.problems.add(path, f"{quoted(source)} is no release such as bookworm, {VENDOR} or {BINARIES}{hint}")
    return source


def _date(reader: Reader) -> date | None:
    text = reader.text("supported_until")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        reader.wrong("supported_until", f"{quoted(text)} is no date; write it in quotes, such as 2027-12-31")
        return None


def _choices(reader: Reader) -> tuple[str, ...]:
    items = reader.items("choices", LIMIT)
    return tuple(text_at(item, path, reader.problems, pattern=NAME, means=NAME_MEANS) for path, item in items)


def _binaries(reader: Reader) -> Binaries | None:
    if BINARIES not in reader:
        return None
    section = Reader(reader.data[BINARIES], reader.at(BINARIES), reader.problems, ("title", "architectures"))
    means = "as `uname -m` says it, such as x86_64"
    items = section.items("architectures", LIMIT, required=True)
    architectures = (text_at(item, path, reader.problems, pattern=WORD, means=means) for path, item in items)
    return Binaries(section.text("title", None), tuple(architectures))
