"""The collection's plugins as Python, and its real templates rendered the way Ansible does."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import trust_as_template

from tests.roles.helpers import ROLES, ROOT, load_plugin, templar


@pytest.fixture(scope="session", autouse=True)
def _collection() -> None:
    init_plugin_loader([str(ROOT / "collections")])


@pytest.fixture(scope="session")
def plugin(_collection: None) -> Callable[[str], ModuleType]:
    """Import a plugin of the collection as Python: plugin("filter.account_hosts")."""
    return load_plugin


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
