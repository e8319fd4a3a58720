# Managed by ForgeLab: changes made here are lost.
"""What the device's operator decided: /etc/forgelab/backup.json."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from .problems import Problem

PATH = Path("/etc/forgelab/backup.json")


@dataclass(frozen=True)
class Settings:
    """`keep_*` count days, weeks and months that have backups; `reserve_mb` is never written into."""

    directory: str = "/var/backups/forgelab"
    copy_to: str = ""
    keep_daily: int = 7
    keep_weekly: int = 4
    keep_monthly: int = 6
    reserve_mb: int = 256
    exclude: tuple[str, ...] = ()


def read(path: Path = PATH) -> Settings:
    """The settings; the defaults where there is no file. Raises Problem for one that cannot be read."""
    try:
        values = json.loads(path.read_text())
        known = {field.name for field in dataclasses.fields(Settings)}
        chosen = {name: value for name, value in values.items() if name in known}
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError, AttributeError) as error:
        raise Problem(f"{path} cannot be read: {error}. Reprovision the server to write it again.") from None
    return Settings(**{**chosen, "exclude": tuple(chosen.get("exclude", ()))})


def elsewhere(settings: Settings, directory: str) -> Settings:
    """The same with another folder of backups, and no copies."""
    return dataclasses.replace(settings, directory=directory, copy_to="")
