"""Load the collection's plugins as Python, and a role's variables the way Ansible does."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible.parsing.dataloader import DataLoader
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


def exact(role: str, template: str, **variables: Any) -> str:
    """A template as config_files renders it: backslashes in its expressions mean what they say."""
    source = trust_as_template((ROLES / role / "templates" / template).read_text())
    options = {"escape_backslashes": False, "overrides": {"trim_blocks": True}}
    return str(templar(role, **variables).template(source, **options))
