"""Folders that overlayfs lays over each other, as they lie on this machine while nothing is mounted.

The kernel's overlayfs documentation is the source: a whiteout is a character device 0/0 that hides what is below it,
and a folder with the attribute `trusted.overlay.opaque` hides the folders of the same name below it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

OPAQUE = "trusted.overlay.opaque"
LIMIT = 50  # the kernel takes 500, but their paths must fit into one page of memory


class Layers:
    """A disk's folders, the topmost first. Paths are below the disk's root, without a leading slash."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = list(folders)

    def find(self, path: str | Path) -> Path | None:
        """Where the file lies that the device sees at `path`; None when it sees none. Links are not followed."""
        for layer in self.folders:
            found = layer / path
            if is_whiteout(found):
                return None
            if os.path.lexists(found):
                return found
            if any(_hides_what_is_below(layer / parent) for parent in Path(path).parents):
                return None
        return None

    def below(self) -> str:
        """All but the topmost, as mount's option `lowerdir` takes them (see kernel documentation, overlayfs)."""
        return ":".join(str(folder).replace("\\", "\\\\").replace(":", "\\:") for folder in self.folders[1:])

    def read(self, path: str | Path) -> str:
        """The text of that file, empty when there is none; a link on the disk would lead to a file of this machine."""
        found = self.find(path)
        return found.read_text(errors="replace") if found and not found.is_symlink() else ""

    def list(self, folder: str) -> list[str]:
        """What the device sees in a folder, as paths below the root, sorted."""
        folders = [layer / folder for layer in self.folders if (layer / folder).is_dir()]
        names = {entry.name for each in folders for entry in each.iterdir()}
        return sorted(f"{folder}/{name}" for name in names if self.find(f"{folder}/{name}"))

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file on the topmost layer, owned by its folder's owner."""
        target = self.folders[0] / path
        self.make_folder(target.relative_to(self.folders[0]).parent)
        if is_whiteout(target):
            target.unlink()
        target.write_text(text)
        target.chmod(mode)
        owner = target.parent.stat()
        os.chown(target, owner.st_uid, owner.st_gid)

    def hide(self, path: str) -> None:
        """Let the device see no such file, whatever the layers below have."""
        self.make_folder(Path(path).parent)
        target = self.folders[0] / path
        target.unlink(missing_ok=True)
        if Layers(self.folders[1:]).find(path):
            os.mknod(target, stat.S_IFCHR, os.makedev(0, 0))

    def make_folder(self, folder: Path) -> None:
        """A folder on the topmost layer; it hides the attributes of the one below it, so it must repeat them."""
        for path in [*reversed(folder.parents), folder]:
            target = self.folders[0] / path
            if path == Path() or target.exists():
                continue
            attributes = (self.find(path) or target.parent).stat()
            target.mkdir()
            target.chmod(0o700 if path.name == ".ssh" else attributes.st_mode & 0o7777)
            os.chown(target, attributes.st_uid, attributes.st_gid)


def is_whiteout(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _hides_what_is_below(folder: Path) -> bool:
    """A whiteout, something that is no folder, or a folder made again after one was removed."""
    if is_whiteout(folder) or (os.path.lexists(folder) and not folder.is_dir()):
        return True
    try:
        return os.getxattr(folder, OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False
