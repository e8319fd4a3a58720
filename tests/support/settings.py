"""ForgeLab's settings for tests: the real ones, in a folder of their own that is gone when the tests end.

`DATABASE_URL` and `CELERY_BROKER_URL` count as always, so the same tests run on SQLite and on PostgreSQL. A ForgeLab
that a test starts as a process of its own inherits the variables and may set them again.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Where pytest works in several processes, each has its folder.
OURS = f"FORGELAB_TESTS{os.environ.get('PYTEST_XDIST_WORKER', '').upper()}"

if OURS not in os.environ:
    _memory = Path("/dev/shm")
    _folder = Path(tempfile.mkdtemp(prefix="forgelab-tests-", dir=_memory if _memory.is_dir() else None))
    (_folder / "runs").mkdir(mode=0o700)  # as ForgeLab makes it, whichever test comes first
    _owner = os.getpid()
    atexit.register(lambda: os.getpid() == _owner and shutil.rmtree(_folder, ignore_errors=True))
    os.environ |= {
        OURS: str(_folder),
        "FORGELAB_MODE": "embedded",
        "FORGELAB_DATA_DIR": str(_folder / "data"),
        "FORGELAB_RUNS_DIR": str(_folder / "runs"),
    }

from forgelab.settings import *  # noqa: E402, F403 - after the environment it reads

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - WhiteNoise warns of a folder that is not there
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a good one takes its time, at every user made
