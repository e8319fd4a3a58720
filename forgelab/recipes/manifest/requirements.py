"""The `requirements` of a manifest: what a device must have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from forgelab.lib.problems import listing, not_one_of
from forgelab.lib.reader import Reader, text_at
from forgelab.recipes.model import Amount, Requirements
from forgelab.recipes.options import Option

KEYS = ("memory", "storage", "cpu", "distributions", "architectures")
VERSION = r"[0-9]{1,3}(\.[0-9]{1,3})?"
ARCHITECTURE = r"[a-z0-9_]{2,16}"
Options = Mapping[str, Option | None]


def read_requirements(top: Reader, options: Options, distributions: Iterable[str]) -> Requirements:
    """`distributions` are the ids of those that ForgeLab's roles support."""
    if "requirements" not in top:
        top.wrong("requirements", "is missing")
        return Requirements(Amount(0, 0), Amount(0, 0), Amount(0, 0))
    needs = Reader(top.data["requirements"], "requirements", top.problems, KEYS)
    return Requirements(
        _size(needs, "memory", options),
        _size(needs, "storage", options),
        _cores(needs),
        distributions=_distributions(needs, tuple(distributions)),
        architectures=_architectures(needs),
    )


def _size(needs: Reader, key: str, options: Options) -> Amount:
    if key not in needs:
        needs.wrong(key, "is missing")
        return Amount(0, 0)
    size = Reader(needs.data[key], needs.at(key), needs.problems, ("minimum", "recommended", "plus"))
    minimum = size.megabytes("minimum", None)
    amount = _amount(size, minimum, size.megabytes("recommended", minimum), "recommended")
    return Amount(amount.minimum, amount.recommended, _plus(size, options))


def _plus(size: Reader, options: Options) -> tuple[str, ...]:
    """Names of options that are numbers of MB."""
    names = [(path, text_at(item, path, size.problems)) for path, item in size.items("plus", 10)]
    known = [name for name, option in options.items() if option is None or option.kind == "integer"]
    for path, name in names:
        if name and name not in known:
            wrong = f"{not_one_of(name, known)}" if known else "names an option that is a whole number; no option is"
            size.problems.add(path, wrong)
    return tuple(name for _, name in names if name in known)


def _cores(needs: Reader) -> Amount:
    if "cpu" not in needs:
        return Amount(1, 1)
    cpu = Reader(needs.data["cpu"], "requirements.cpu", needs.problems, ("minimum_cores", "recommended_cores"))
    minimum = cpu.integer("minimum_cores", 1, 1, 1024) or 1
    return _amount(cpu, minimum, cpu.integer("recommended_cores", minimum, 1, 1024) or minimum, "recommended_cores")


def _amount(reader: Reader, minimum: int, recommended: int, key: str) -> Amount:
    if minimum and recommended and recommended < minimum:
        reader.wrong(key, "is less than the minimum")
    return Amount(minimum, recommended)


def _distributions(needs: Reader, supported: tuple[str, ...]) -> Mapping[str, str]:
    """`{debian: "13"}`: the oldest version of each; others are then refused."""
    if "distributions" not in needs:
        return {}
    found = Reader(needs.data["distributions"], needs.at("distributions"), needs.problems, supported)
    if not found.data:
        needs.wrong("distributions", f"must name at least one of {listing(supported)}")
    means = "a version in quotes, such as 12 or 24.04"
    return {name: found.text(name, None, pattern=VERSION, means=means) for name in supported if name in found}


def _architectures(needs: Reader) -> tuple[str, ...]:
    if "architectures" not in needs:
        return ()
    means = "as `uname -m` says it, such as x86_64 or aarch64"
    items = needs.items("architectures", 20)
    if not items:
        needs.wrong("architectures", "must name at least one, such as x86_64; leave it out for any")
    return tuple(text_at(item, path, needs.problems, pattern=ARCHITECTURE, means=means) for path, item in items)
