"""What must be done before the stack starts: the database's tables, the first user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ADMIN = "admin"


def prepare() -> bool:
    """Migrate and make the first user, in a process of its own: the process manager stays without connections.

    Returns whether it worked; the child has printed the error.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _prepare()
            status = 0
        except Exception as error:
            print(f"forgelab: the database cannot be prepared: {error}", file=sys.stderr)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _prepare() -> None:
    from django.conf import settings
    from django.core.management import call_command

    from forgelab.accounts import services
    from forgelab.accounts.actors import from_shell

    call_command("migrate", interactive=False, verbosity=0)
    if settings.PRODUCTION:
        call_command("collectstatic", interactive=False, verbosity=0)
    Path(settings.RECIPES_DIR).mkdir(parents=True, exist_ok=True)
    if password := services.first_user_ensure(username=ADMIN, actor=from_shell()):
        print(f"Log in as {ADMIN} with the password {password}  (shown only now)")
        print(f"To change it: forgelab changepassword {ADMIN}")
