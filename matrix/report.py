"""The result of each case: kept as it comes, and made into docs/matrix.md."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from bench.report import machine
from matrix.cases import BY_ID, CASES, RELEASES, Case

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(os.environ.get("FORGELAB_MATRIX_RESULTS", ROOT / "var/matrix"))
DOCUMENT = ROOT / "docs/matrix.md"
HEAD = """\
# The matrix

Every server type on Debian 12 and 13 with the options that change what is installed, each provisioned through ForgeLab
on a fresh lab device (2 CPUs), checked there, reprovisioned and planned. Written by `make matrix`.

*Checks*: the services' own words (`php -i`, `php-fpm -tt`, `SHOW`, `SELECT @@...`, `CONFIG GET`, `nginx -T`,
`supervisorctl status`, `ufw status`), services active and enabled, `ss` showing what was asked for and nothing else,
nothing installed that was not asked for; see [matrix/checks](../matrix/checks). *Changed*: tasks that
changed something in the second run. *Plan*: whether `forgelab server plan` then saw nothing to do.
"""
WIDTH = 160


@dataclass
class Result:
    """`first` and `again` are seconds of the runs; `error` is empty when everything was as it must be."""

    case: str
    first: float | None = None
    again: float | None = None
    changed: int | None = None
    plan: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    error: str = ""
    load: float = 0
    day: str = ""
    total: float = 0


@contextmanager
def recorded(case: Case) -> Iterator[Result]:
    """Keeps the result of the block, however it ends."""
    result, started = Result(case.id, day=date.today().isoformat()), time.monotonic()
    try:
        yield result
    except BaseException as error:
        result.error = " ".join(str(error).split())[:WIDTH] or type(error).__name__
        raise
    finally:
        result.load, result.total = os.getloadavg()[0], time.monotonic() - started
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{case.id}.json").write_text(json.dumps(asdict(result)))


def results() -> dict[str, Result]:
    found = {}
    for path in sorted(RESULTS.glob("*.json")):
        result = Result(**json.loads(path.read_text()))
        if result.case in BY_ID:
            found[result.case] = result
    return found


def write(concurrent: int) -> None:
    """Make the document from all results there are; cases without one are named as not run."""
    found = results()
    good = sum(not result.error for result in found.values())
    lines = [HEAD, f"{good} of {len(CASES)} cases passed; {len(CASES) - len(found)} have not been run.", ""]
    about = "where the load, which stands with each case, is high, the machine did other work too"
    lines += [f"{machine()}; up to {concurrent} at a time; {about}, and the seconds say little.", ""]
    for server_type in dict.fromkeys(case.server_type for case in CASES):
        lines += [f"## {server_type}", "", *_table(server_type, found), ""]
    versions = [f"- `{result.case}`: {_versions(result)}" for result in found.values() if result.versions]
    lines += ["## Versions found on the devices", "", *versions] if versions else []
    DOCUMENT.write_text("\n".join(lines).rstrip() + "\n")


def _table(server_type: str, found: dict[str, Result]) -> Iterator[str]:
    yield "| Case | On | What | First run, s | Checks | Again, s | Changed | Plan | Load | Day |"
    yield "| --- | --- | --- | ---: | --- | ---: | ---: | --- | ---: | --- |"
    for case in CASES:
        if case.server_type != server_type:
            continue
        result = found.get(case.id)
        cells = [f"`{case.id}`", RELEASES[case.image], case.about, *(_cells(result) if result else ["not run"])]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _cells(result: Result) -> list[str]:
    checked = "passed" if result.again is not None else ""
    plan = result.plan.rstrip(".").lower()[:WIDTH]
    return [
        _figure(result.first),
        f"**{result.error}**" if result.error else checked,
        _figure(result.again),
        "" if result.changed is None else str(result.changed),
        plan,
        f"{result.load:.1f}",
        result.day,
    ]


def _figure(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f}"


def _versions(result: Result) -> str:
    return ", ".join(f"{title} {version}" for title, version in result.versions.items())
