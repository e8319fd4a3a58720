"""The names that follow from a server's name: its application, its database, its address."""

from __future__ import annotations

import hashlib
import re

from forgelab.lib.problems import ConfigInvalid, quoted

SERVER_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
ENVIRONMENTS = {
    "production": "production", "prod": "production", "live": "production",
    "staging": "staging", "stage": "staging",
    "development": "development", "dev": "development",
    "testing": "testing", "test": "testing",
}  # fmt: skip
APP_USER = "www-data"
DOMAIN_SUFFIX = "homelab.local"
NAMES = ("SERVER_NAME", "APP_NAME", "APP_ENV", "APP_USER", "DOMAIN", "DATABASE_NAME", "DATABASE_USER")
OVERRIDABLE = frozenset(NAMES) - {"SERVER_NAME", "APP_ENV"}

DATABASE_LENGTH = 63  # PostgreSQL's NAMEDATALEN - 1; MySQL allows 64
USER_LENGTH = 32  # MySQL's limit for an account's name; PostgreSQL allows 63
SYSTEM_DATABASES = frozenset(
    ["postgres", "template0", "template1", "mysql", "sys", "performance_schema", "information_schema", "test"]
)


def check_server_name(name: str) -> str:
    """The name, if it can be a host label. Raises ConfigInvalid({"name": ...}) otherwise."""
    if not isinstance(name, str) or not SERVER_NAME.fullmatch(name):
        allowed = "1 to 63 lowercase letters, digits and hyphens, starting with a letter and not ending with a hyphen"
        raise ConfigInvalid({"name": f"{quoted(name)} cannot be a server's name; allowed are {allowed}"})
    return name


def standard_context(server_name: str, *, domain: str = "", app_user: str = APP_USER) -> dict[str, str]:
    """The values of the standard placeholders for a server of this name.

    `laravel-production` is the application `laravel` in the environment `production`, with the database
    `laravel_production` and its user `laravel_user`, as the specification shows them. A name without a known
    environment is an application in production. Raises ConfigInvalid for a name that cannot be a server's.
    """
    check_server_name(server_name)
    app, environment = _split(server_name)
    return {
        "SERVER_NAME": server_name,
        "APP_NAME": app,
        "APP_ENV": environment,
        "APP_USER": app_user,
        "DOMAIN": domain or f"{server_name}.{DOMAIN_SUFFIX}",
        "DATABASE_NAME": database_name(server_name),
        "DATABASE_USER": database_user(app),
    }


def database_name(name: str) -> str:
    """A database's name from a server's or application's: `laravel-production` -> `laravel_production`."""
    plain = name.replace("-", "_")
    return _shortened(f"{plain}_app" if plain in SYSTEM_DATABASES else plain, DATABASE_LENGTH)


def database_user(name: str) -> str:
    """The user that owns it: `laravel`, `myapp_production` -> `laravel_user`, `myapp_user`."""
    app, _ = _split(name.replace("_", "-"))
    plain = app.replace("-", "_")
    if plain.startswith("pg_"):  # PostgreSQL keeps such names for itself
        plain = f"db_{plain}"
    return f"{_shortened(plain, USER_LENGTH - len('_user'))}_user"


def _split(name: str) -> tuple[str, str]:
    app, _, last = name.rpartition("-")
    if app.rstrip("-") and last in ENVIRONMENTS:
        return app.rstrip("-"), ENVIRONMENTS[last]
    return name, "production"


def _shortened(name: str, length: int) -> str:
    """Long names keep a mark of what was cut off, so that two of them stay two."""
    if len(name) <= length:
        return name
    return f"{name[: length - 7]}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"
