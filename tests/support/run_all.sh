#!/bin/sh
# All tests: on SQLite, on a real PostgreSQL and Redis, and on lab devices with a real browser.
set -eu
export PATH="$PWD/.venv/bin:$PATH"
started=$(date +%s)
sh tests/support/lint.sh
# Made now where it can be: the tests of SSH borrow its sshd, and the lab needs it later anyway.
python -m forgelab.lab image bookworm || echo "No lab here; the tests that need one are skipped and say why."
echo "== on SQLite, and at the same time on PostgreSQL and Redis"
fast="not lab and not browser and not matrix"
said=$(mktemp)
other=
trap 'rm -f "$said"; [ -z "$other" ] || kill "$other" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
python -m tests.support.services -- pytest -q -m "services and $fast" > "$said" 2>&1 &
other=$!
pytest -q -n 2 -m "$fast" && sqlite=passed || sqlite=failed
wait "$other" && postgresql=passed || postgresql=failed
other=
cat "$said"
echo "On SQLite: $sqlite. On PostgreSQL and Redis: $postgresql."
[ "$sqlite$postgresql" = passedpassed ] || exit 1
echo "== on lab devices, and in a browser"
# Two at once: most of the time a test waits for its device.
pytest -q -n 2 -m "(lab or browser) and not matrix" --durations=15
echo "All tests passed in $(($(date +%s) - started)) seconds."
