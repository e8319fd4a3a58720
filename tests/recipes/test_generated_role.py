from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

from forgelab.recipes.context import standard_context
from forgelab.recipes.generated_role import generated_role
from forgelab.recipes.resolve import resolve
from forgelab.recipes.roles.spec import Roles

from .helpers import load


class UnsafeText(str):
    __slots__ = ()


class Loader(yaml.SafeLoader):
    pass


Loader.add_constructor("!unsafe", lambda loader, node: UnsafeText(loader.construct_scalar(node)))


def files(roles: Roles, *post_install: dict[str, object], **config: object) -> dict[str, str]:
    note = {"name": "note", "type": "string", "default": ""}
    used = {"type": "message", "message": "${NOTE}"}
    recipe = load(
        roles, components=[{"name": "php"}], config_options=[note], secrets=None, post_install=[*post_install, used]
    )
    return generated_role(resolve(recipe, recipe.clean(config), standard_context("shop"), {}), "shop_post_install")


def tasks(roles: Roles, *post_install: dict[str, object], **config: object) -> list[dict[str, Any]]:
    loaded = yaml.load(files(roles, *post_install, **config)["tasks/main.yml"], Loader)
    assert isinstance(loaded, list)
    return loaded


def test_messages_alone_make_no_role(roles: Roles) -> None:
    assert files(roles) == {}


def test_a_plain_command_runs_without_a_shell_and_changes_nothing(roles: Roles) -> None:
    assert tasks(roles, {"type": "command", "title": "greet", "command": "printf 'a b' ${SERVER_NAME}"}) == [
        {
            "name": "Greet",
            "ansible.builtin.command": {"argv": ["printf", "a b", "shop"]},
            "changed_when": False,
        }
    ]


def test_a_command_of_several_parts_runs_in_a_shell_that_stops_at_a_failure(roles: Roles) -> None:
    [task] = tasks(roles, {"type": "command", "command": "false | true\ntouch /nowhere/x"})
    shell = task["ansible.builtin.shell"]
    assert subprocess.run([shell["executable"], "-c", shell["cmd"]], capture_output=True).returncode == 1


def test_a_command_that_creates_something_is_run_once(roles: Roles) -> None:
    [task] = tasks(roles, {"type": "command", "command": "make-key", "creates": "/etc/${APP_NAME}.key"})
    assert task["ansible.builtin.command"]["creates"] == "/etc/shop.key"
    assert "changed_when" not in task


@pytest.mark.parametrize("value", ["{{ 7*7 }}", "`; touch pwned;`", "日本語", "'\"\\", "# no comment", "%"])
def test_what_somebody_typed_is_data_all_the_way(roles: Roles, value: str) -> None:
    [task] = tasks(roles, {"type": "command", "command": "printf %s ${NOTE} | cat"}, note=value)
    command = task["ansible.builtin.shell"]["cmd"]
    assert isinstance(command, UnsafeText) or "{" not in command
    assert subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout.decode() == value


def test_a_supervisor_program_is_a_file_with_a_handler(roles: Roles) -> None:
    program = {"type": "supervisor_config", "title": "Horizon", "config": "[program:x]\ncommand=echo ${NOTE}\n"}
    made = files(roles, program, note="5%")
    [task] = yaml.load(made["tasks/main.yml"], Loader)
    [file] = task["forgelab.homelab.config_files"]["files"]
    assert file["dest"] == "/etc/supervisor/conf.d/forgelab-small-server-1.conf"
    assert file["content"] == "; Managed by ForgeLab\n[program:x]\ncommand=echo 5%%\n"
    assert task["notify"] == yaml.safe_load(made["handlers/main.yml"])[0]["name"]


def test_the_role_is_complete(roles: Roles) -> None:
    made = files(roles, {"type": "command", "command": "true"})
    assert sorted(made) == [
        "README.md",
        "meta/argument_specs.yml",
        "meta/main.yml",
        "tasks/main.yml",
        "vars/main.yml",
    ]
    assert yaml.safe_load(made["meta/main.yml"])["dependencies"] == []
    for path, text in made.items():
        assert "Managed by ForgeLab" in text.splitlines()[2 if path == "README.md" else 0]
