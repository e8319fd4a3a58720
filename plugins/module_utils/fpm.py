"""Who still talks to a version's PHP-FPM, and how it is ended without a request being cut off (runs on the device)."""

from __future__ import annotations

import glob
import re
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

OTHER_SERVERS = ("/etc/apache2/*-enabled/*", "/etc/caddy/*", "/etc/haproxy/*", "/etc/lighttpd/conf-enabled/*")
NGINX_FILES = ("/etc/nginx/nginx.conf", "/etc/nginx/sites-enabled/*")
WORKER = b"nginx: worker process"
LISTENS = 0x10000  # __SO_ACCEPTCON of linux/net.h, in the flags of /proc/net/unix
TICKS = 100  # a second in /proc/PID/stat has this many, on every architecture of Debian


class StillUsed(Exception):
    """PHP-FPM of this version must go on; the text is a sentence for the user."""


def socket_of(version: str) -> str:
    """`8.2` -> `/run/php/php8.2-fpm.sock`, where Debian's and the vendor's packages have it."""
    return f"/run/php/php{version}-fpm.sock"


def unit_of(version: str) -> str:
    """`8.2` -> `php8.2-fpm.service`."""
    return f"php{version}-fpm.service"


def names_socket(text: str, version: str) -> bool:
    """Whether a configuration speaks of the version's socket outside of comments."""
    return bool(re.search(rf"^[^#\n]*/php{re.escape(version)}-fpm\.sock", text, re.M))


def where_named(dump: str, version: str) -> str:
    """The file of `nginx -T` that names the version's socket, or ""."""
    parts = re.split(r"^# configuration file (.+):$", dump, flags=re.M)
    return next((path for path, text in zip(parts[1::2], parts[2::2], strict=True) if names_socket(text, version)), "")


def connections(table: str, path: str) -> int:
    """Connections to the socket `path` in the text of /proc/net/unix, waiting ones too."""
    rows = [row.split() for row in table.splitlines()[1:]]
    return sum(len(row) > 7 and row[7] == path and not int(row[3], 16) & LISTENS for row in rows)


def refuse_if_named(version: str) -> None:
    """Raises StillUsed while a web server's configuration names the version's socket."""
    try:
        dump = subprocess.run(["nginx", "-T"], capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        pass
    else:
        if dump.returncode:
            raise StillUsed(f"PHP-FPM {version} goes on, because nginx cannot read its own configuration: `nginx -t`.")
        if path := where_named(dump.stdout, version):
            raise StillUsed(f"PHP-FPM {version} goes on, because {path} uses it.")
    for path in (path for pattern in OTHER_SERVERS for path in glob.glob(pattern)):  # noqa: PTH207
        if Path(path).is_file() and names_socket(Path(path).read_text(errors="replace"), version):
            raise StillUsed(f"PHP-FPM {version} goes on, because {path} uses it.")


def started_at(stat: str, uptime: float, now: float) -> float:
    """When a process began, in seconds since the epoch, from its /proc/PID/stat."""
    return now - uptime + int(stat.rpartition(")")[2].split()[19]) / TICKS


def old_workers() -> list[int]:
    """Workers of nginx that take requests with a configuration older than what is on the disk."""
    files = [Path(path) for pattern in NGINX_FILES for path in glob.glob(pattern)]  # noqa: PTH207
    written = max((path.stat().st_mtime for path in files if path.exists()), default=0.0)
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes().rstrip(b"\0") != WORKER:
                continue
            if started_at((process / "stat").read_text(), uptime, time.time()) < written:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def wait_until_unused(version: str, seconds: float) -> None:
    """Wait until nginx has let go of the version and its last request is answered. Raises StillUsed."""
    if not _within(seconds, lambda: not old_workers()):
        raise StillUsed(
            f"PHP-FPM {version} goes on, because nginx has not read its new configuration: `systemctl reload nginx`."
        )
    path, table = socket_of(version), Path("/proc/net/unix")
    if not _within(seconds, lambda: not connections(table.read_text(), path)):
        raise StillUsed(f"PHP-FPM {version} goes on, because requests to it have not ended after {seconds:g} seconds.")


def end(version: str, seconds: float) -> None:
    """Disable the version's service and end it: it finishes what it is at, and is stopped after `seconds`."""
    unit = unit_of(version)
    for command in (["disable", "--quiet", unit], ["kill", "--kill-who=main", "--signal=QUIT", unit]):
        subprocess.run(["systemctl", *command], check=False, capture_output=True)
    _within(seconds, lambda: not is_running(version))
    subprocess.run(["systemctl", "stop", unit], check=False, capture_output=True)
    if is_running(version):
        raise StillUsed(f"PHP-FPM {version} goes on, because it cannot be stopped: `systemctl status {unit}`.")


def is_running(version: str) -> bool:
    """Whether the version's PHP-FPM is up, or on its way up or down."""
    done = subprocess.run(["systemctl", "is-active", unit_of(version)], capture_output=True, text=True, check=False)
    return done.stdout.strip() not in ("inactive", "failed", "unknown", "")


def removable(simulation: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that `apt-get --simulate autoremove` would take away, since nothing else needs them."""
    gone = set(re.findall(r"^(?:Remv|Purg) (\S+)", simulation, re.M))
    return [name for name in names if name in gone]


def _within(seconds: float, reached: Callable[[], bool]) -> bool:
    limit = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > limit:
            return False
        time.sleep(0.1)
    return True
