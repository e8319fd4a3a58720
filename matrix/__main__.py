"""`python -m matrix [CASE ...]`: perform the cases (all unless named), then write docs/matrix.md.

A name stands for every case that contains it: `cache`, `-13-`, `app-12-bare`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys

from matrix import report
from matrix.cases import CASES

LONG_TAIL = ["tests"]  # other tests that are too long for `make test`


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m matrix", description=__doc__)
    parser.add_argument("case", nargs="*", help="a case, or a part of its name")
    parser.add_argument("--jobs", type=int, default=2, help="how many devices are provisioned at a time (2)")
    parser.add_argument("--list", action="store_true", help="only list the cases")
    wanted = parser.parse_args()
    names = [case.id for case in CASES if not wanted.case or any(part in case.id for part in wanted.case)]
    if not names:
        parser.error(f"there is no such case; there are {', '.join(case.id for case in CASES)}")
    if wanted.list:
        print("\n".join(names))
        return 0
    try:
        status = max(_wait([_pytest(names[n :: wanted.jobs], n) for n in range(min(wanted.jobs, len(names)))]))
    finally:
        report.write(wanted.jobs)
    if not wanted.case:
        at_once = ["-n", str(wanted.jobs)]
        tail = subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "matrix", *at_once, *LONG_TAIL])
        status = max(status, tail.returncode)
    print(f"Written: {report.DOCUMENT.relative_to(report.ROOT)}")
    return status


def _pytest(names: list[str], number: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "FORGELAB_MATRIX": " ".join(names)}
    command = [sys.executable, "-m", "pytest", "-m", "matrix", "-v", "--tb=short", "matrix/test_matrix.py"]
    return subprocess.Popen([*command, "-o", f"cache_dir=.pytest_cache/matrix-{number}"], env=environment)


def _wait(processes: list[subprocess.Popen[bytes]]) -> list[int]:
    """Their exit statuses; Ctrl-C reaches them too, and they take their devices away before they end."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    while True:
        try:
            return [process.wait() for process in processes]
        except KeyboardInterrupt:
            print("Stopping; the devices are taken away.")


if __name__ == "__main__":
    sys.exit(main())
