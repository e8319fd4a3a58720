"""Only one collector asks at a time, also where several machines run one. Held by the kernel or the database itself,
so that it ends with its holder and never has to be given up."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from django.conf import settings
from django.db import connection

KEY = 0x666F7267656C6162  # "forgelab": PostgreSQL's advisory locks are named by a number


class Lease:
    """`hold` before each minute's work, always from the same thread, since PostgreSQL's lock belongs to a connection.

    A holder that is cut off from the database may for a minute not know that another has taken over; then the store
    refuses what is kept already.
    """

    def __init__(self) -> None:
        self._file: int | None = None

    def hold(self) -> bool:
        """Take the lease, or make sure of it; False when another collector has it."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY])
                return bool(cursor.fetchone()[0])
        return self._hold_file(settings.DATA_DIR / "watch.lock")

    def _hold_file(self, path: Path) -> bool:
        if self._file is not None:
            return True
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._file = descriptor
        return True
