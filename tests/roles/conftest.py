"""Helpers: load the collection's plugins as Python, and render its real templates the way Ansible does."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

ROOT = Path(__file__).resolve().parents[2]
ROLES = ROOT / "roles"
FACTS = {
    "distribution": "Debian",
    "distribution_release": "bookworm",
    "distribution_major_version": "12",
    "os_family": "Debian",
    "architecture": "x86_64",
    "memtotal_mb": 2048,
    "processor_vcpus": 2,
    "default_ipv4": {"address": "192.168.1.20"},
}


def load_plugin(name: str) -> ModuleType:
    """Import a plugin of the collection as Python: load_plugin("modules.config_files")."""
    return importlib.import_module(f"ansible_collections.forgelab.homelab.plugins.{name}")


@pytest.fixture(scope="session", autouse=True)
def _collection() -> None:
    init_plugin_loader([str(ROOT / "collections")])


@pytest.fixture(scope="session")
def plugin(_collection: None) -> Callable[[str], ModuleType]:
    """Import a plugin of the collection as Python: plugin("filter.account_hosts")."""
    return load_plugin


def role_variables(role: str) -> dict[str, Any]:
    """defaults/main.yml and vars/main.yml of a role, trusted as templates like Ansible trusts them."""
    loader, values = DataLoader(), {}
    for folder in ("defaults", "vars"):
        path = ROLES / role / folder / "main.yml"
        if path.exists():
            values.update(loader.load_from_file(str(path), trusted_as_template=True) or {})
    return values


def templar(role: str, **variables: Any) -> Templar:
    """Templar with a role's variables; the given ones are data, as `!unsafe` makes them."""
    return Templar(DataLoader(), variables={"ansible_facts": FACTS, **role_variables(role), **variables})


@pytest.fixture(scope="session")
def render() -> Callable[..., str]:
    """Render a template of a role: render("nginx", "nginx.main.conf.j2", nginx_app_name="shop")."""

    def rendered(role: str, template: str, **variables: Any) -> str:
        source = trust_as_template((ROLES / role / "templates" / template).read_text())
        return str(templar(role, **variables).template(source, overrides={"trim_blocks": True}))

    return rendered


@pytest.fixture(scope="session")
def evaluate() -> Callable[..., Any]:
    """Value of a role's variable: evaluate("php", "php_packages", php_version="8.2")."""

    def evaluated(role: str, name: str, **variables: Any) -> Any:
        return templar(role, **variables).template(trust_as_template("{{ " + name + " }}"))

    return evaluated


@pytest.fixture(scope="session")
def refusals(_collection: None) -> Callable[..., list[str]]:
    """What tasks/validate.yml of a role has against these variables: refusals("redis", redis_port=0)."""

    def found(role: str, **variables: Any) -> list[str]:
        path = str(ROLES / role / "tasks/validate.yml")
        [task] = DataLoader().load_from_file(path, trusted_as_template=True)
        values = templar(role, **{**task["vars"], **variables})
        if not values.evaluate_conditional(trust_as_template(task["ansible.builtin.assert"]["that"])):
            return str(values.template(task["ansible.builtin.assert"]["fail_msg"])).splitlines()
        return []

    return found
