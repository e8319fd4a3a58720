"""Small roles and a small manifest to test recipes with, independent of the real ones."""

from __future__ import annotations

import copy
from pathlib import Path

import yaml

from forgelab.lib.problems import DocumentError
from forgelab.recipes.manifest.loader import load_text
from forgelab.recipes.model import Recipe
from forgelab.recipes.roles.spec import Roles, load_roles, with_releases
from forgelab.recipes.versions.distributions import Distribution

EXTENSIONS = ["fpm", "cli", "mbstring", "xml", "pgsql", "mysql", "redis", "curl", "zip", "gd", "intl", "bcmath"]

RoleTexts = dict[str, tuple[str, dict[str, dict[str, object]], dict[str, object]]]
ROLES: RoleTexts = {
    "nginx": (
        "Nginx",
        {"nginx_app": {"type": "str"}, "nginx_server_names": {"type": "list", "elements": "str"}},
        {"nginx_app": "laravel", "nginx_server_names": ["_"]},
    ),
    "php": (
        "PHP",
        {
            "php_version": {"type": "str", "choices": ["8.0", "8.1", "8.2", "8.3"], "description": "Which PHP."},
            "php_extensions": {"type": "list", "elements": "str", "choices": EXTENSIONS},
            "php_memory_limit": {"type": "str", "description": ["Memory a request", "may use."]},
            "php_workers": {"type": "int"},
            "php_opcache": {"type": "bool"},
            "php_auto": {"type": "str"},
            "php_ini": {"type": "dict"},
        },
        {
            "php_version": "8.3",
            "php_extensions": ["fpm"],
            "php_memory_limit": "256M",
            "php_workers": 20,
            "php_opcache": True,
            "php_auto": "{{ 1 + 1 }}",
            "php_ini": {},
        },
    ),
    "postgresql": (
        "PostgreSQL",
        {
            "postgresql_version": {"type": "str", "choices": ["15", "16"]},
            "postgresql_database": {"type": "str"},
            "postgresql_user": {"type": "str"},
            "postgresql_password": {"type": "str", "no_log": True},
        },
        {
            "postgresql_version": "15",
            "postgresql_database": "",
            "postgresql_user": "",
            "postgresql_password": "",
        },
    ),
    "redis": ("Redis", {"redis_url": {"type": "str"}}, {"redis_url": ""}),
}

PHP_METADATA = """
title: PHP
versions:
  source: https://www.php.net/supported-versions.php
  known:
    "8.0": {supported_until: "2023-11-26", sources: [vendor]}
    "8.1": {supported_until: "2025-12-31", sources: [jammy, vendor]}
    "8.2": {supported_until: "2026-12-31", sources: [bookworm, vendor]}
    "8.3": {supported_until: "2027-12-31", sources: [noble, vendor]}
  vendor:
    name: sury
    title: deb.sury.org
    base_url: https://packages.sury.org/php
    key_url: https://packages.sury.org/php/apt.gpg
    fingerprints: [15058500A0235D97F5D10063B188E2B695BD4743]
    suites: {bookworm: bookworm}
    packages: ["php${version}"]
"""
DISTRIBUTIONS = {
    "debian": Distribution("Debian", {"bookworm": "12", "trixie": "13"}),
    "raspbian": Distribution("Raspberry Pi OS", {"bookworm": "12", "trixie": "13"}),
    "ubuntu": Distribution("Ubuntu", {"jammy": "22.04", "noble": "24.04"}),
}

MANIFEST = """
id: small-server
name: "Small Server"
category: infrastructure
tagline: "A small one"
description: "For tests"
is_infrastructure: true
server_type: "app_server"
requirements:
  memory: {minimum: 2GB, recommended: 4GB}
  storage: {minimum: 20GB, recommended: 50GB}
  cpu: {minimum_cores: 2, recommended_cores: 4}
components:
  - name: nginx
    version: "latest"
    app: "${APP_NAME}"
    server_names: ["${DOMAIN}", {value: "${SERVER_NAME}", when: {database_engine: postgresql}}]
  - name: php
    version: "8.3"
    extensions: [fpm, cli, mbstring]
  - name: postgresql
    when: {database_engine: postgresql}
    database: "${DATABASE_NAME}"
    user: "${DATABASE_USER}"
    password: "${DATABASE_PASSWORD}"
  - name: redis
    when: include_redis
    url: "redis://:${DATABASE_PASSWORD}@localhost"
config_options:
  - name: php_version
    label: "PHP Version"
    options: ["8.1", "8.2", "8.3"]
  - name: database_engine
    label: "Database Engine"
    type: select
    options: [{value: postgresql, label: PostgreSQL}, none]
    default: postgresql
  - name: include_redis
    label: "Include Redis"
    type: boolean
    default: true
  - name: php_workers
    min: 1
    max: 100
  - name: domain
    label: "Domain"
    type: string
    default: ""
    pattern: "[a-z0-9.-]+"
secrets:
  - name: database_password
    label: "Database password"
post_install:
  - type: command
    title: "Greet"
    command: "echo ${DOMAIN} && echo \\"$${HOME}\\""
  - type: message
    title: "Ready"
    message: |
      PHP ${PHP_VERSION} for ${SERVER_NAME}, workers ${PHP_WORKERS}.
  - type: credentials
    title: "Database Credentials"
    when: {database_engine: postgresql}
    fields:
      - {label: Host, value: localhost}
      - {label: Password, value: "${DATABASE_PASSWORD}"}
"""

# Uses the real roles; whoever wrote it put HTML into a label.
STATIC_SITE = """\
id: static-site
name: "Static Site"
tagline: "Files only"
server_type: web_server
requirements: {memory: {minimum: 256MB}, storage: {minimum: 1GB}}
components:
  - {name: nginx, app_name: "${APP_NAME}", upload_max_mb: "${LARGEST_UPLOAD}"}
config_options:
  - name: largest_upload
    label: "Largest <b>upload</b>"
    type: integer
    default: 8
    min: 1
    max: 64
    help: "In MB; `8` is plenty."
"""


def write_roles(folder: Path, roles: RoleTexts = ROLES) -> Path:
    """Writes the roles as role folders, returns the folder."""
    for name, (title, options, defaults) in roles.items():
        spec = {"argument_specs": {"main": {"short_description": title, "options": options}}}
        for part, data in (("meta/argument_specs.yml", spec), ("defaults/main.yml", defaults)):
            path = folder / name / part
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(data))
    return folder


def write_small_recipe(folder: Path) -> tuple[Path, Path]:
    """The folders of MANIFEST and of its roles."""
    path = folder / "recipes" / "small-server" / "manifest.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(MANIFEST)
    return folder / "recipes", write_roles(folder / "roles")


def read_roles(folder: Path) -> Roles:
    write_roles(folder)
    (folder / "php/meta/forgelab.yml").write_text(PHP_METADATA)
    roles = load_roles(folder)
    specs = {name: with_releases(spec, DISTRIBUTIONS) for name, spec in roles.specs.items()}
    return Roles(specs, roles.broken, DISTRIBUTIONS)


def manifest(**changes: object) -> dict[str, object]:
    """MANIFEST as data, with top-level keys replaced; a value of None removes the key."""
    data = yaml.safe_load(MANIFEST) | copy.deepcopy(changes)
    return {key: value for key, value in data.items() if value is not None}


def load(roles: Roles, **changes: object) -> Recipe:
    return load_text(yaml.safe_dump(manifest(**changes), sort_keys=False), roles)


def messages(roles: Roles, text: str | None = None, **changes: object) -> list[str]:
    """The problems of a manifest as `path: message`, without lines; fails when there are none."""
    try:
        load_text(text, roles) if text is not None else load(roles, **changes)
    except DocumentError as error:
        return [f"{problem.path}: {problem.message}" for problem in error.problems]
    raise AssertionError("the manifest was accepted")


def php(**keys: object) -> dict[str, object]:
    return {"name": "php", **keys}


def option(**keys: object) -> dict[str, object]:
    return {"name": "flavour", "type": "select", "options": ["a", "b"], "default": "a", **keys}


def only_option(roles: Roles, **keys: object) -> list[str]:
    """The problems of a manifest whose one option has these keys; that nothing uses it is not among them."""
    return [m for m in messages(roles, **minimal(config_options=[option(**keys)])) if "nothing uses" not in m]


def minimal(**changes: object) -> dict[str, object]:
    return {"components": [php()], "config_options": None, "secrets": None, "post_install": None, **changes}


def drop(folder: Path, recipe_id: str, text: str = MANIFEST) -> Path:
    path = folder / recipe_id / "manifest.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("id: small-server", f"id: {recipe_id}"))
    return path
