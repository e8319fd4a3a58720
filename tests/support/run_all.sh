#!/bin/sh
# All tests: on SQLite, on a real PostgreSQL and Redis, and on lab devices with a real browser.
set -eu
export PATH="$PWD/.venv/bin:$PATH"
started=$(date +%s)
passed() { echo "$1: passed, $(($(date +%s) - started)) seconds since the start."; }
# Made now where it can be: the tests of SSH borrow its sshd, and the lab needs both later anyway.
trap wait EXIT
for suite in bookworm trixie; do
    python -m forgelab.lab image "$suite" && continue
    echo "No lab here; the tests that need one are skipped and say why."
    break
done &
images=$!
sh tests/support/lint.sh
wait "$images"
fast="not lab and not browser and not matrix"
echo "== on SQLite"
pytest -q -n 3 -m "$fast"
passed "On SQLite"
echo "== on PostgreSQL and Redis, what uses them"
python -m tests.support.services -- pytest -q -n 3 -m "services and $fast"
passed "On PostgreSQL and Redis"
echo "== on lab devices, and in a browser"
# Two at once, not three: each has devices that work too.
pytest -q -n 2 -m "(lab or browser) and not matrix" --durations=15
passed "All tests"
