"""`forgelab server`: provisioning servers, changing them, and looking at them."""

from __future__ import annotations

from forgelab.cli.base import VerbCommand
from forgelab.cli.server import (
    backup,
    backups,
    change,
    credentials,
    decommission,
    drift_check,
    list,
    plan,
    provision,
    restore,
    show,
)


class Command(VerbCommand):
    help = "Provision servers, change them, list and show them and their credentials."
    verbs = (
        provision, list, show, credentials, plan, change, drift_check, decommission, backup, backups, restore,
    )  # fmt: skip
