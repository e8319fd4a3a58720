"""Files, directories and links changed as one transaction that can be taken back.

Runs on the device (Python 3.9 and up, standard library only).
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

TEMPORARY = ".forgelab-"
ORIGINAL = ".before-forgelab"
MARK = b"Managed by ForgeLab"


class Refused(Exception):
    """The device is in a state in which a change must not be made; the text is a sentence for the user."""


def user_id(name: str) -> int:
    """Number of the user `name`. Raises Refused when the device has no such user."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise Refused(f"There is no user {name!r} on this device: create it first, or choose another owner.") from None


def group_id(name: str) -> int:
    """Number of the group `name`. Raises Refused when the device has no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise Refused(f"There is no group {name!r} on this device: create it first, or choose another.") from None


def lstat(path: Path) -> os.stat_result | None:
    """What stands at `path` itself (links are not followed), None for nothing."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def refuse_foreign_links(path: Path) -> None:
    """Raises Refused when a parent of `path` is a link made by another user than root or this one.

    An application's user owns its own tree: a link planted there must not lead root's writes elsewhere.
    """
    for parent in reversed(path.parents):
        found = lstat(parent)
        if found and stat.S_ISLNK(found.st_mode) and found.st_uid not in (0, os.geteuid()):
            raise Refused(
                f"{path} is not touched, because {parent} is a symbolic link to {parent.readlink()} made by the "
                f"user with number {found.st_uid}: replace the link by a real folder."
            )


def sync_directory(path: Path) -> None:
    """Make renames in `path` survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes, mode: int, uid: int, gid: int) -> None:
    """Put `content` at `path` so that readers see the old or the new file, never half of one."""
    prefix = f".{path.name}{TEMPORARY}"
    for stale in [entry for entry in path.parent.iterdir() if entry.name.startswith(prefix)]:
        stale.unlink()
    handle, name = tempfile.mkstemp(prefix=prefix, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchown(file.fileno(), uid, gid)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def link_atomically(path: Path, target: str) -> None:
    """Let `path` be a symbolic link to `target`, replacing a link or file there in one step."""
    temporary = path.with_name(f".{path.name}{TEMPORARY}link")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(path)
    sync_directory(path.parent)


def snapshot(path: Path) -> Callable[[], None]:
    """A function that puts a file or link at `path` back as it is now (or away, if there is nothing now)."""
    found = lstat(path)
    if found is None:
        return lambda: path.unlink(missing_ok=True)
    if stat.S_ISLNK(found.st_mode):
        target = str(path.readlink())
        return lambda: link_atomically(path, target)
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{path} is neither a file nor a link on this device: move it away, then run again.")
    content = path.read_bytes()

    def restore() -> None:
        write_atomically(path, content, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))

    return restore


def text_of(path: Path, found: os.stat_result | None) -> str:
    """What stands at `path`, for a diff."""
    if found is None:
        return ""
    if stat.S_ISLNK(found.st_mode):
        return f"symbolic link to {path.readlink()}\n"
    return path.read_bytes().decode("utf-8", "replace")


class Transaction:
    """Changes of one task, in order, each with the way back.

    `dry` only compares. `changed` lists the paths that differ, `diffs` what Ansible's --diff shows.
    """

    def __init__(self, dry: bool = False) -> None:
        self.dry = dry
        self.changed: list[str] = []
        self.diffs: list[dict[str, str]] = []
        self._undo: list[Callable[[], None]] = []

    def directory(self, path: Path, owner: str, group: str, mode: str) -> None:
        """Folder with owner and mode; missing parents are made for root with mode 0755."""
        refuse_foreign_links(path)
        found = lstat(path)
        if found is None:
            self._note(path, "", f"folder {owner}:{group} {mode}\n")
            if not self.dry:
                self._make_directories(path)
                self._own(path, owner, group, mode)
            return
        if stat.S_ISLNK(found.st_mode) and found.st_uid in (0, os.geteuid()) and path.is_dir():
            return
        if not stat.S_ISDIR(found.st_mode):
            raise Refused(f"{path} should be a folder, but something else stands there: move it away, then run again.")
        if self._differs(found, owner, group, mode):
            self._note(path, self._described(found), f"folder {owner}:{group} {mode}\n")
            if not self.dry:
                self._undo.append(lambda: self._set(path, found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)))
                self._own(path, owner, group, mode)

    def file(self, dest: Path, content: bytes, owner: str, group: str, mode: str, *, force: bool, secret: bool) -> None:
        """File with exactly this content; with force=False only where nothing stands yet."""
        refuse_foreign_links(dest)
        found = lstat(dest)
        if found is not None and not force:
            return
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise Refused(f"{dest} should be a file, but is a folder on this device: move it away, then run again.")
        same = found is not None and stat.S_ISREG(found.st_mode) and dest.read_bytes() == content
        if same and not self._differs(found, owner, group, mode):
            return
        if secret:
            self._note(dest, "(secret content, not shown)\n" if found else "", "(secret content, changed)\n")
        elif same:
            self._note(dest, self._described(found), f"file {owner}:{group} {mode}\n")
        else:
            self._note(dest, text_of(dest, found), content.decode("utf-8", "replace"))
        if self.dry:
            return
        if not dest.parent.is_dir():
            raise Refused(
                f"{dest} cannot be written, because its folder does not exist on this device: "
                "install the package it belongs to, or list the folder under directories."
            )
        uid, gid = user_id(owner), group_id(group)
        if found is not None and stat.S_ISREG(found.st_mode):
            self._keep_original(dest, found)
        self._undo.append(snapshot(dest))
        write_atomically(dest, content, int(mode, 8), uid, gid)

    def link(self, path: Path, target: str, *, force: bool) -> None:
        """Symbolic link; with force=False only where nothing stands yet."""
        refuse_foreign_links(path)
        found = lstat(path)
        if found is not None and (not force or (stat.S_ISLNK(found.st_mode) and str(path.readlink()) == target)):
            return
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise Refused(f"{path} should be a link to {target}, but is a folder: move it away, then run again.")
        self._note(path, text_of(path, found), f"symbolic link to {target}\n")
        if not self.dry:
            self._undo.append(snapshot(path))
            link_atomically(path, target)

    def absent(self, path: Path) -> None:
        """Nothing at `path`: a file or link is removed, a folder is refused."""
        refuse_foreign_links(path)
        found = lstat(path)
        if found is None:
            return
        if stat.S_ISDIR(found.st_mode):
            raise Refused(f"{path} is a folder and is not removed: look into it, then remove it by hand.")
        self._note(path, text_of(path, found), "")
        if not self.dry:
            self._undo.append(snapshot(path))
            path.unlink()

    def roll_back(self) -> None:
        """Take back every change, last one first."""
        while self._undo:
            self._undo.pop()()

    def _note(self, path: Path, before: str, after: str) -> None:
        self.changed.append(str(path))
        self.diffs.append({"before_header": str(path), "after_header": str(path), "before": before, "after": after})

    def _make_directories(self, path: Path) -> None:
        missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o755)
            self._undo.append(folder.rmdir)

    def _keep_original(self, path: Path, found: os.stat_result) -> None:
        """Once, before the first replacement: what the package or the user had there."""
        original = path.with_name(path.name + ORIGINAL)
        content = path.read_bytes()
        if MARK not in content and lstat(original) is None:
            self._undo.append(lambda: original.unlink(missing_ok=True))
            write_atomically(original, content, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)

    def _own(self, path: Path, owner: str, group: str, mode: str) -> None:
        self._set(path, user_id(owner), group_id(group), int(mode, 8))

    @staticmethod
    def _set(path: Path, uid: int, gid: int, mode: int) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchown(handle, uid, gid)
            os.fchmod(handle, mode)
        finally:
            os.close(handle)

    def _differs(self, found: os.stat_result, owner: str, group: str, mode: str) -> bool:
        try:
            wanted = (user_id(owner), group_id(group))
        except Refused:
            if not self.dry:
                raise
            return True
        return (found.st_uid, found.st_gid) != wanted or stat.S_IMODE(found.st_mode) != int(mode, 8)

    @staticmethod
    def _described(found: os.stat_result) -> str:
        return f"owner {found.st_uid}:{found.st_gid}, mode {stat.S_IMODE(found.st_mode):04o}\n"
