"""Writing the whole homelab as an Ansible project that needs no ForgeLab."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices.access import host_of
from forgelab.lib.problems import ConfigInvalid
from forgelab.runs.renderer import Deployment, render
from forgelab.runs.workspace import collection, write_project
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.plans.provision import server_plan
from forgelab.servers.spec.server_spec import with_recipe

MARK = ".forgelab-export"
IGNORED = "# Keys and the vault password: never commit them.\nssh/\n.vault-password\n"


def export_project(*, directory: Path, vault_password: str | None = None, actor: Actor) -> Path:
    """Write inventory, playbooks, variables, roles and keys of every server to `directory` and return it.

    Without `vault_password` one is generated; either way it lies in `.vault-password`, readable by the owner only.
    An earlier export there is replaced. Raises `ValidationError` when the folder holds anything else, or when there is
    nothing to export.
    """
    check(actor, "server.export")
    directory = directory.expanduser().resolve()
    if directory.exists() and not directory.is_dir():
        raise ValidationError(f"{directory} is a file. Name a folder.")
    if directory.exists() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise ValidationError(
            f"{directory} is not empty and no earlier export. Choose another folder, or empty it first."
        )
    servers = list(Server.objects.select_related("device__identity"))
    if not servers:
        raise ValidationError("There is no server to export. Provision one first: forgelab server provision --help")
    deployments = [_deployment(server) for server in servers]
    files = render(deployments, vault_password or secrets.token_urlsafe(32))
    _clear(directory)
    write_project(
        directory, {**files, ".gitignore": IGNORED, MARK: "Written by `forgelab export`; replaced by the next one.\n"}
    )
    for path, source in collection().items():
        _copy(source, directory / path)
    with transaction.atomic():
        names = [server.name for server in servers]
        audit.record(actor=actor, action="server.export", after={"directory": directory, "servers": names})
    return directory


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _deployment(server: Server) -> Deployment:
    try:
        plan = server_plan(with_recipe(server, recipe_catalog().get(server.server_type)))
    except (KeyError, ConfigInvalid) as error:
        raise ValidationError(
            f"{server.name} cannot be exported, since its recipe {server.server_type} is gone or has changed: "
            f"{error.args[0] if isinstance(error, KeyError) else error}. Reprovision it, then export."
        ) from None
    return Deployment(plan, host_of(server.device))


def _clear(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in directory.iterdir():
        if path.name == ".git":  # an export kept under version control stays under it
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
