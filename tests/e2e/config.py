"""The App Server that the tests provision: what the device's own distribution offers, with every component."""

from __future__ import annotations

from typing import Any

NAME = "laravel-production"
# The public PHP package registry cannot be reached from everywhere the tests run; roles/composer has its own test.
BASE: dict[str, Any] = {"include_laravel_installer": False}
BOOKWORM: dict[str, Any] = {**BASE, "php_version": "8.2", "postgresql_version": "15"}
TRIXIE: dict[str, Any] = {**BASE, "php_version": "8.4", "postgresql_version": "17"}
