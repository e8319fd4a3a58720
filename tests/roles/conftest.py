"""Helpers: load a role's plugins as Python, and render its real templates the way Ansible does."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import ansible.module_utils
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import add_all_plugin_dirs, init_plugin_loader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parents[2] / "roles"
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


def load_plugin(path: Path, name: str) -> ModuleType:
    """Import a plugin file under a name of our choice."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load_module_utils() -> None:
    """Make every role's module_utils importable under the name Ansible gives them on a device."""
    folders = sorted(ROLES.glob("*/module_utils"))
    ansible.module_utils.__path__.extend(map(str, folders))
    for folder in folders:
        for path in folder.glob("*.py"):
            importlib.import_module(f"ansible.module_utils.{path.stem}")


@pytest.fixture(scope="session", autouse=True)
def _plugins() -> None:
    init_plugin_loader()
    for role in ROLES.iterdir():
        add_all_plugin_dirs(str(role))
    load_module_utils()


@pytest.fixture(scope="session")
def plugin() -> Callable[[str], ModuleType]:
    """Load `role/folder/file.py` as a Python module."""
    return lambda path: load_plugin(ROLES / path, f"role_{path.replace('/', '_').removesuffix('.py')}")


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
