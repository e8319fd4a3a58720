"""A project whose device is this very machine (connection: local), so that Ansible runs for real without a lab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

HOST = "homelab-server-01"


def project(
    folder: Path, roles: Mapping[str, list[dict[str, Any]]], handlers: list[dict[str, Any]] | None = None
) -> Path:
    """Write a playbook `laravel` with these roles' tasks below `folder`, as a run's workspace has it; its folder."""
    root = folder / "project"
    play = {
        "name": "Provision laravel",
        "hosts": "laravel",
        "gather_facts": False,
        "roles": [{"role": name, "tags": [name]} for name in roles],
    }
    host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    texts: dict[str, Any] = {
        "playbooks/laravel.yml": [play],
        "inventories/homelab/hosts.yml": {
            "all": {"hosts": {HOST: host}, "children": {"laravel": {"hosts": {HOST: {}}}}}
        },
        **{f"roles/{name}/tasks/main.yml": tasks for name, tasks in roles.items()},
    }
    if handlers:
        texts[f"roles/{next(iter(roles))}/handlers/main.yml"] = handlers
    for path, data in texts.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(data))
    (root / "ansible.cfg").write_text("[defaults]\nroles_path = roles\ngathering = explicit\n")
    return folder


def shell(text: str, name: str = "Do it", **more: Any) -> dict[str, Any]:
    return {"name": name, "ansible.builtin.shell": text, **more}
