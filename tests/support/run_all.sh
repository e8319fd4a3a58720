#!/bin/sh
# All tests: on SQLite, on a real PostgreSQL and Redis, and on lab devices with a real browser.
set -eu
export PATH="$PWD/.venv/bin:$PATH"
started=$(date +%s)
sh tests/support/lint.sh
# Made now where it can be: the tests of SSH borrow its sshd, and the lab needs it later anyway.
python -m forgelab.lab image bookworm || echo "No lab here; the tests that need one are skipped and say why."
echo "== on SQLite"
pytest -q -m "not lab and not browser"
echo "== on PostgreSQL and Redis"
python -m tests.support.services -- pytest -q -m "not lab and not browser"
echo "== on lab devices, and in a browser"
pytest -q -m "lab or browser" --durations=10
echo "All tests passed in $(($(date +%s) - started)) seconds."
