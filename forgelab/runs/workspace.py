"""The private folder of a run: a rendered project in memory, mode 0700, removed when the run ends."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings

# A socket's path has at most 107 characters (unix(7)), of which run, folder, Ansible's name and ssh's suffix take 68.
LONGEST = 39
# Where Ansible looks for the collection, below the `collections_path` of the rendered ansible.cfg.
COLLECTION = Path("collections/ansible_collections/forgelab/homelab")


class UnsafeFolder(Exception):
    """The folder for rendered projects is not private, or its name too long. The message says what to do."""


@contextmanager
def workspace(name: str, files: Mapping[str, str]) -> Iterator[Path]:
    """A fresh folder `name` in memory with `files` below `project/`, gone at the end of the block.

    The collection with ForgeLab's roles is linked into `project/collections`. Raises `UnsafeFolder`.
    """
    root = settings.RUNS_DIR
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check(root)
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)  # an earlier attempt's files must never win over this one's
    folder.mkdir(mode=0o700)
    try:
        write_project(folder / "project", files)
        for path, source in collection().items():
            (folder / "project" / path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / "project" / path).symlink_to(source)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check(root: Path) -> None:
    """Where everybody may write, as in /dev/shm, somebody may have made the folder before us, to read or replace."""
    if len(str(root)) > LONGEST:
        raise UnsafeFolder(f"{root} is too long a name: ssh's sockets lie in it. Give FORGELAB_RUNS_DIR a shorter one.")
    status = root.lstat()
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
    if not private:
        raise UnsafeFolder(
            f"{root} is not a private folder of this user (it belongs to user {status.st_uid}, mode "
            f"{stat.S_IMODE(status.st_mode):o}). Remove it, or name another one in FORGELAB_RUNS_DIR."
        )


def write_project(directory: Path, files: Mapping[str, str]) -> None:
    """Write the texts below `directory`; everything is readable by its owner only."""
    for path, text in files.items():
        target = directory / path
        for parent in reversed(target.relative_to(directory).parents):  # mkdir's mode is not for the parents it makes
            (directory / parent).mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)


def collection() -> dict[Path, Path]:
    """The parts of the Ansible collection `forgelab.homelab`: where each goes in a project, and where it comes from."""
    parts = [*(settings.BASE_DIR / name for name in ("LICENSE", "galaxy.yml", "meta", "plugins")), settings.ROLES_DIR]
    return {COLLECTION / part.name: part for part in parts}


def remove_stale(active: Callable[[Iterable[str]], set[str]]) -> list[str]:
    """Remove the folders of ended runs (what a killed worker left); returns their names.

    `active` is asked after the folders were listed: a run that begins meanwhile is in neither list.
    """
    root = settings.RUNS_DIR
    present = sorted(path.name for path in root.iterdir() if _is_run(path.name)) if root.is_dir() else []
    keep = active(present) if present else set()
    stale = [name for name in present if name not in keep]
    for name in stale:
        shutil.rmtree(root / name, ignore_errors=True)
    return stale


def _is_run(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
