"""`forgelab docs`: the generated documentation of server types and roles."""

from __future__ import annotations

import argparse

from django.conf import settings
from django.core.management.base import CommandParser

from forgelab.cli.base import Failure, ForgeCommand
from forgelab.recipes.catalog import catalog
from forgelab.recipes.docs import files


class Command(ForgeCommand):
    help = "Write what is generated from the manifests and roles: documentation, and values in the roles' own files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when something is not current")
        parser.set_defaults(verb=docs)


def docs(chosen: argparse.Namespace) -> None:
    built_in = catalog(roles_dir=settings.ROLES_DIR)
    if wrong := built_in.reports():
        raise Failure("\n  ".join(f"{r.file}: {problem}" for r in wrong for problem in r.problems))
    generated = files.generated_files(built_in.recipes.values(), settings.ROLES_DIR)
    if not chosen.check:
        changed = files.write(generated, settings.BASE_DIR)
        print("\n".join(f"wrote {path}" for path in changed) or "Everything was current.")
    elif old := files.outdated(generated, settings.BASE_DIR):
        names = ", ".join(map(str, old))
        raise Failure(f"not as the manifests and roles declare: {names}. Write them again: make docs")
