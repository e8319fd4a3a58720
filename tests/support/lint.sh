#!/bin/sh
# Everything that reads the code without running it. Fails at the first complaint, naming the tool.
set -eu
export PATH="$PWD/.venv/bin:$PATH"
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
export FORGELAB_DATA_DIR="$data"

step() {
    echo "-- $*"
    "$@"
}
production() {
    env FORGELAB_MODE=production SECRET_KEY="$(head -c 60 /dev/urandom | base64 | tr -d '\n')" \
        FORGELAB_ENCRYPTION_KEYS="$(python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
        FORGELAB_ALLOWED_HOSTS=forgelab.example DATABASE_URL=postgresql://forgelab@localhost/forgelab \
        CELERY_BROKER_URL=redis://localhost/0 "$@"
}

step ruff check .
step ruff format --check .
step mypy
step lint-imports
step python manage.py makemigrations --check --dry-run
step production python manage.py check --deploy --fail-level WARNING
step python manage.py spectacular --validate --fail-on-warn --file "$data/schema.yml"
step diff -u docs/openapi.yml "$data/schema.yml"
step python manage.py docs --check
step yamllint -s galaxy.yml meta requirements.yml roles playbooks inventories
step ansible-lint --offline -q
