"""What decides a score: `weights.yaml`, and what somebody changed of it in a file of the same form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from forgelab.lib.problems import DocumentError, Problems
from forgelab.lib.reader import Reader, kind_of
from forgelab.lib.yamlfile import parse

DATA = Path(__file__).parent / "weights.yaml"
HUNDRED = 100
Numbers = Mapping[str, float]
# Lowest and highest value of the keys of each section; "*" for those not named.
LIMITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "points": {"*": (0, 100)},
    "enough": {"*": (0.1, 1000)},
    "reliability": {"worst": (0, 99.9), "unknown": (0, 100), "sd_card": (0, 1)},
    "disks": {"*": (0, 1)},
    "fit": {"shared_mb": (1, 1_000_000), "*": (0, 100)},
    "instances": {"*": (0, 1_000_000)},
}
OPEN = ("instances",)  # a section that may have more keys: roles of one's own


@dataclass(frozen=True, slots=True)
class Policy:
    """Every figure that decides; what each means is written in `weights.yaml`."""

    points: Numbers
    enough: Numbers
    reliability: Numbers
    disks: Numbers
    fit: Numbers
    instances: Numbers


@cache
def shipped_policy() -> Policy:
    """What ForgeLab brings."""
    return _read({}, Problems())


def policy(own: Path) -> Policy:
    """The same with what the file `own` changes, if it exists; read again when the file has changed.

    Raises DocumentError naming line and key of what is wrong in it.
    """
    try:
        found = own.stat()
    except OSError:
        return shipped_policy()
    return _own(own, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4)
def _own(path: Path, changed: int, size: int) -> Policy:
    """`changed` and `size` are what makes it another file."""
    try:
        document = parse(path.read_bytes())
    except OSError as error:
        problems = Problems()
        problems.add("", f"cannot be read: {error.strerror}")
        raise DocumentError(problems) from None
    problems = Problems(document.lines)
    top = Reader(document.data or {}, "", problems, LIMITS)
    return _read(top.data, problems)


@cache
def _shipped() -> Mapping[str, Numbers]:
    data: Mapping[str, Numbers] = parse(DATA.read_bytes()).data  # type: ignore[assignment]
    return data


def _read(changes: Mapping[str, object], problems: Problems) -> Policy:
    sections = {name: _section(name, changes.get(name, {}), problems) for name in LIMITS}
    total = sum(sections["points"].values())
    if not len(problems) and abs(total - HUNDRED) > 0.001:
        problems.add("points", f"are {total:g} together; they must be {HUNDRED}")
    problems.raise_any()
    return Policy(**sections)


def _section(name: str, changes: object, problems: Problems) -> Numbers:
    shipped = _shipped()[name]
    reader = Reader(changes, name, problems, None if name in OPEN else shipped)
    limits = LIMITS[name]
    values = dict(shipped)
    for key, value in reader.data.items():
        lowest, highest = limits.get(key) or limits["*"]
        if isinstance(value, bool) or not isinstance(value, int | float):
            reader.wrong(key, f"must be a number from {lowest:g} to {highest:g}, not {kind_of(value)}")
        elif not lowest <= value <= highest:
            reader.wrong(key, f"must be a number from {lowest:g} to {highest:g}, not {value:g}")
        else:
            values[key] = value
    return values
