"""What `forgelab` alone, `--help` and a mistyped command print. No Django: help must come at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

COMMANDS = {
    "up": "start ForgeLab: web pages, API, workers, all in one",
    "down": "stop it",
    "status": "whether it runs, where, with how much memory",
    "device": "add, join, list, show, update, refresh, trust, remove",
    "server": "provision, list, show, credentials, plan, change, drift-check, decommission, backup, backups, restore",
    "run": "list, show, watch, cancel",
    "place": "which device suits a server type best, and why; whole sets; what if",
    "recipes": "list, show, check: server types, your own among them",
    "export": "write everything as an Ansible project of your own",
    "user": "make a user for the web pages",
    "token": "make a token for the API",
    "audit": "who did what, when and from where",
    "demo": "a homelab of virtual devices with an App Server, in one go",
    "lab": "virtual devices on this machine, to try ForgeLab out",
}

TEXT = """\
ForgeLab: Laravel Forge for homelabs.

Usage: forgelab COMMAND [...]          forgelab COMMAND --help shows more

{commands}

To begin:
  forgelab up
  forgelab device add homelab-server-01 192.168.1.105
  forgelab server provision laravel-app-server --name laravel-production --device best

Any other command is one of Django's, such as: forgelab migrate, forgelab changepassword admin
"""


def text() -> str:
    return TEXT.format(commands="\n".join(f"  {name:<9} {summary}" for name, summary in COMMANDS.items()))


def unknown(command: str, others: Iterable[str] = ()) -> str:
    """The sentence for a command that there is not."""
    close = difflib.get_close_matches(command, [*COMMANDS, *others], n=1, cutoff=0.6)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    return f'There is no command "{command}".{hint} All commands: forgelab --help'
