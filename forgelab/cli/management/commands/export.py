"""`forgelab export`: the whole homelab as an Ansible project that needs no ForgeLab."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli.base import ForgeCommand
from forgelab.servers.export import export_project


class Command(ForgeCommand):
    help = "Write everything that ForgeLab runs as an Ansible project of your own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="an empty folder, or an earlier export")
        parser.add_argument(
            "--vault-password-file",
            type=Path,
            metavar="FILE",
            help="its first line encrypts the secrets (default: a new one)",
        )
        parser.set_defaults(verb=export)


def export(chosen: argparse.Namespace) -> None:
    file: Path | None = chosen.vault_password_file
    lines = file.expanduser().read_text().splitlines() if file else []
    directory = export_project(
        directory=chosen.directory, vault_password=lines[0] if lines else None, actor=from_shell()
    )
    print(f"The project is in {directory}. It holds SSH keys and the vault's password: keep it private.")
    print(f"To run it: cd {directory} && ansible-playbook -i inventories/homelab site.yml")
