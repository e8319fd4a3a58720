#!/bin/sh
# make_venv.sh PYTHON LOCK: makes or updates .venv from a lock file, every package checked by its hash.
set -eu
python=$1 lock=$2
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Python 3.11 or newer is needed; $python is $("$python" --version 2>&1 || echo missing)." >&2
    echo "Name another one: make PYTHON=/path/to/python3 ..." >&2
    exit 1
fi
if [ ! -x .venv/bin/python ]; then
    echo "Making .venv"
    "$python" -m venv .venv 2>/dev/null || {
        sh tests/support/system_packages.sh python3-venv
        rm -rf .venv
        "$python" -m venv .venv
    }
fi
echo "Installing Python packages from $lock"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" 2>&1 | grep -v '^WARNING: Location' || true
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . 2>/dev/null \
    || .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
.venv/bin/python -c 'import django, ansible_runner, celery'
