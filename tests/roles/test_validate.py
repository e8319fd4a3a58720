"""A role refuses settings by a real assert of Ansible, with sentences that name the variable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .helpers import FACTS, ROLES, ROOT

WRONG = {
    "backups": {"backups_keep_daily": 0},
    "composer": {"composer_repositories": [{"type": "ftp", "url": "x"}]},
    "mariadb": {"mariadb_memory_share": 101, "mariadb_password": "s"},
    "memcached": {"memcached_threads": 65},
    "mysql": {"mysql_max_connections": 9, "mysql_password": "s"},
    "nginx": {"nginx_app_name": "../etc"},
    "nodejs": {"nodejs_global_packages": ["npm@9"]},
    "php": {"php_timezone": "Europe Berlin"},
    "postgresql": {"postgresql_memory_share": 4, "postgresql_password": "s"},
    "redis": {"redis_port": 0},
    "scheduler": {"scheduler_app_user": "Root"},
    "supervisor": {"supervisor_workers": 101},
}


def test_every_role_that_validates_is_tried() -> None:
    assert sorted(WRONG) == sorted(path.parent.parent.name for path in ROLES.glob("*/tasks/validate.yml"))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of one playbook that has each role look at a wrong value."""
    tasks = [
        {
            "ansible.builtin.import_role": {"name": f"forgelab.homelab.{role}", "tasks_from": "validate"},
            "vars": wrong,
            "ignore_errors": True,
        }
        for role, wrong in WRONG.items()
    ]
    folder = tmp_path_factory.mktemp("validate")
    play = {"hosts": "localhost", "gather_facts": False, "vars": {"ansible_facts": FACTS}, "tasks": tasks}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    program = Path(sys.executable).with_name("ansible-playbook")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOCALHOST_WARNING": "false"}
    command = [program, "-i", "localhost,", "-c", "local", folder / "play.yml"]
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False).stdout


@pytest.mark.parametrize("role", WRONG)
def test_the_sentence_names_the_variable(output: str, role: str) -> None:
    variable = next(iter(WRONG[role]))
    assert f'"msg": "{variable}: ' in output
