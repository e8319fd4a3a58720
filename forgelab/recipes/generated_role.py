"""The role generated from a recipe's post_install: commands and Supervisor programs become tasks, messages do not."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Any

from forgelab.lib.names import group_name
from forgelab.lib.yaml import dump as dump_yaml
from forgelab.recipes.model import Command, SupervisorConfig
from forgelab.recipes.resolve import ResolvedRecipe

NOTE = "Managed by ForgeLab: made from the recipe {recipe}; changes made here are lost when it is made again."
# Characters and words that mean something to a shell; a command without any of them runs without one.
SHELL = frozenset("|&;<>()$`*?[]{}~\n#!=")
CONF_D = "/etc/supervisor/conf.d"


def role_name(server: str) -> str:
    """The name of the generated role: the server's own, since its commands carry this server's values."""
    return f"{group_name(server)}_post_install"


def generated_role(resolved: ResolvedRecipe, role: str) -> dict[str, str]:
    """The files of the role of that name, path to text; empty where there is nothing to do.

    A command counts as no change unless it has `creates`; with it, it runs only while that path does not exist.
    """
    tasks = [_task(item, resolved) for item in resolved.post_install if isinstance(item, (Command, SupervisorConfig))]
    if not tasks:
        return {}
    dump = partial(dump_yaml, comment=NOTE.format(recipe=resolved.recipe_id))
    description = f"Finishing touches of the recipe {resolved.recipe_id}"
    files = {
        "tasks/main.yml": dump(tasks),
        "vars/main.yml": dump({f"{role}_{key}": [] for key in ("packages", "ports", "services")}),
        "meta/main.yml": dump(_galaxy(role, description)),
        "meta/argument_specs.yml": dump(
            {"argument_specs": {"main": {"short_description": description, "options": {}}}},
        ),
        "README.md": f"# {role}\n\n{NOTE.format(recipe=resolved.recipe_id)}\n",
    }
    if any(isinstance(item, SupervisorConfig) for item in resolved.post_install):
        files["handlers/main.yml"] = dump([_update_supervisor()])
    return files


def _galaxy(role: str, description: str) -> dict[str, Any]:
    info = {
        "role_name": role,
        "author": "ForgeLab",
        "description": description,
        "license": "MIT",
        "min_ansible_version": "2.17",
        "platforms": [{"name": "Debian", "versions": ["all"]}, {"name": "Ubuntu", "versions": ["all"]}],
    }
    return {"galaxy_info": info, "dependencies": []}


def _task(item: Command | SupervisorConfig, resolved: ResolvedRecipe) -> dict[str, Any]:
    name = item.title[:1].upper() + item.title[1:]
    return {"name": name, **(_run(item) if isinstance(item, Command) else _program(item, resolved))}


def _run(item: Command) -> dict[str, Any]:
    argv = [] if SHELL & set(item.command) else _words(item.command)
    # A shell goes on after a failed line unless `set -e` is on, and a run that failed must say so.
    in_a_shell = {"cmd": f"set -eo pipefail\n{item.command}", "executable": "/bin/bash"}
    module: dict[str, Any] = {"argv": argv} if argv else in_a_shell
    if item.creates:
        module["creates"] = item.creates
    task = {f"ansible.builtin.{'command' if argv else 'shell'}": module}
    return task if item.creates else {**task, "changed_when": False}


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return []


def _program(item: SupervisorConfig, resolved: ResolvedRecipe) -> dict[str, Any]:
    programs = [other for other in resolved.post_install if isinstance(other, SupervisorConfig)]
    name = f"forgelab-{resolved.recipe_id}-{programs.index(item) + 1}.conf"
    content = f"; Managed by ForgeLab\n{item.config.rstrip()}\n"
    return {
        "forgelab.homelab.config_files": {"files": [{"content": content, "dest": f"{CONF_D}/{name}", "mode": "0644"}]},
        "notify": "Update Supervisor",
    }


def _update_supervisor() -> dict[str, Any]:
    return {
        "name": "Update Supervisor",
        "ansible.builtin.command": {"argv": ["supervisorctl", "update"]},
        "changed_when": True,
    }
