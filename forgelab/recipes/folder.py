"""A folder of recipes, `<id>/manifest.yaml` in each, as somebody may have left it: looked at with distrust.

Nothing is read that is not a plain file below the folder itself, so a link cannot bring in what lies elsewhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from forgelab.lib.problems import Problem, quoted

MANIFEST = "manifest.yaml"
ROLES = "roles"
WATCHED = 2000  # files and folders of one recipe's roles

Stamp = tuple[str, int, int, int, int]
Problems = dict[Path, tuple[Problem, ...]]


def find_manifests(folder: Path) -> tuple[list[Path], Problems]:
    """The manifests below `folder` that may be read, by name, and what is wrong with everything else there."""
    found: list[Path] = []
    problems: Problems = {}
    try:
        names = _names(folder)
    except OSError as error:
        return [], {folder: (Problem("", f"cannot be read: {error.strerror}"),)}
    for name in names:
        path, fault = _manifest(folder, folder / name)
        if fault:
            problems[path] = (Problem("", fault),)
        elif path.name == MANIFEST:
            found.append(path)
    return found, problems


def plain_file_fault(path: Path, folder: Path, limit: int) -> str:
    """Why this is no file of at most `limit` bytes that lies in `folder`, or "" when it is."""
    try:
        target = path.resolve(strict=True)
        status = target.stat()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if not target.is_relative_to(folder.resolve()):
        return f"is a link out of its folder, to {quoted(str(target), 200)}; put a copy in its place"
    if not stat.S_ISREG(status.st_mode):
        return "is not a plain file"
    return f"is {status.st_size} bytes; {limit} are allowed" if status.st_size > limit else ""


def stamps(folder: Path) -> Iterator[Stamp]:
    """What changes when anything in the folder changes that `find_manifests` or a recipe's roles depend on."""
    try:
        names = _names(folder)
    except OSError:
        names = []
    yield from _stamps(folder)
    for name in names:
        yield from _stamps(folder / name, folder / name / MANIFEST)
        if (folder / name / ROLES).exists():
            yield from _stamps(*_below(folder / name / ROLES))


def stamp(path: Path) -> Stamp | None:
    """None where there is nothing. The time of the last change of the entry itself cannot be set by anybody."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return str(path), status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _stamps(*paths: Path) -> Iterator[Stamp]:
    return (found for path in paths if (found := stamp(path)))


def _below(folder: Path) -> Iterator[Path]:
    seen = 0
    for parent, folders, files in os.walk(folder):
        yield Path(parent)
        yield from (Path(parent, name) for name in files)
        seen += len(folders) + len(files)
        if seen > WATCHED:
            return


def _names(folder: Path) -> list[str]:
    """Hidden names are left out: version control and editors keep theirs there."""
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []


def _manifest(folder: Path, entry: Path) -> tuple[Path, str]:
    """The manifest in this entry of the folder, or the path that is wrong, and why."""
    if not entry.is_dir():
        loose = entry.suffix in (".yaml", ".yml")
        hint = f"must lie in a folder named like its id: {entry.stem}/{MANIFEST}"
        return entry, hint if loose else "" if entry.exists() else "is a link to nowhere; remove it"
    if not entry.resolve().is_relative_to(folder.resolve()):
        return entry, "is a link out of the folder of recipes; put a copy in its place"
    path = entry / MANIFEST
    return (path, "") if os.path.lexists(path) else (entry, _without_manifest(entry))


def _without_manifest(entry: Path) -> str:
    try:
        names = _names(entry)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if "manifest.yml" in names:
        return f"has a manifest.yml; name it {MANIFEST}"
    deeper = next((name for name in names if (entry / name / MANIFEST).is_file()), None)
    if deeper:
        return f"holds the recipe {quoted(deeper)} one level too deep; an id has no slash, so move that folder up"
    return f"has no {MANIFEST}"
