from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable

from .device import GUEST_ENV
from .errors import LabError
from .images import SUITES
from .lab import Lab
from .requirements import check_root, requirements
from .sizes import format_size
from .status import SNAPSHOT_HEADINGS, snapshot_row, status_row, table

Command = Callable[[Lab, argparse.Namespace], int]


def main(argv: list[str]) -> int:
    """`forgelab lab ...`: returns the exit status; whatever goes wrong is one message on stderr."""
    arguments = parser().parse_args(argv)
    try:
        if arguments.verb != "doctor":
            check_root()
        return int(arguments.run(Lab(report=lambda text: print(text, file=sys.stderr, flush=True)), arguments))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="forgelab lab", description="Virtual Debian devices on this machine.")
    verbs = top.add_subparsers(required=True, metavar="COMMAND")

    def verb(name: str, help: str, run: Command, names: str | None = None) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=help, description=help)
        sub.set_defaults(run=run, verb=name)
        if names:
            sub.add_argument("names", nargs=names, metavar="NAME")
        return sub

    up = verb("up", "Make devices, or start existing ones, and wait until they answer.", _up, "+")
    up.add_argument("--image", choices=SUITES, help="Debian release of new devices (default: bookworm)")
    up.add_argument("--from", dest="source", metavar="SNAPSHOT", help="start new devices from a snapshot of another")
    up.add_argument("--memory", help="memory each device has, such as 2G or 512M (default: the machine's)")
    up.add_argument("--cpus", help="CPUs each device has, such as 1 or 1.5 (default: the machine's)")
    up.add_argument("--unit-limits", action="store_true", help="let limits of systemd units inside the device bite")
    verb("status", "List the devices.", _status)
    for name, help in (
        ("kill", "Cut the power of devices."),
        ("cut", "Pull the network cable of devices."),
        ("heal", "Plug the network cable in again."),
        ("reboot", "Reboot devices and wait until they answer."),
        ("stop", "Shut devices down."),
        ("rm", "Remove devices and their disks."),
    ):
        verb(name, help, _each, "+")
    verb("start", "Start devices and wait until they answer.", _start, "+")
    for name, help, run in (
        ("ssh", "Log in to a device, or run a command there.", _ssh),
        ("exec", "Run a command as root in a device, without SSH.", _exec),
    ):
        sub = verb(name, help, run)
        sub.add_argument("name", metavar="NAME")
        sub.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
        if name == "ssh":
            sub.add_argument("--user", default="root", help="root (the default) or homelab, who has sudo")
    keep = verb("snapshot", "Keep the disk of a device, which restarts, for new ones.", _snapshot)
    keep.add_argument("name", metavar="NAME")
    keep.add_argument("as_name", metavar="AS")
    kept = verb("snapshots", "List the snapshots, or remove some.", _snapshots)
    kept.add_argument("--remove", nargs="+", metavar="SNAPSHOT", help="remove these, unless something stands on them")
    down = verb("down", "Remove every device and the network; images, snapshots and packages stay.", _down)
    down.add_argument("--all", action="store_true", help="also remove those, keys and the unreachable route")
    verb("doctor", "Say what the lab needs on this machine and what is missing.", _doctor)
    image = verb("image", "Build images ahead of time, or list those that are built.", _image)
    image.add_argument("suites", nargs="*", choices=[[], *SUITES], metavar="SUITE", help=", ".join(SUITES))
    return top


def _up(lab: Lab, arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    devices = lab.up_many(
        arguments.names, image=arguments.image, source=arguments.source, memory=arguments.memory,
        cpus=arguments.cpus, unit_limits=arguments.unit_limits,
    )  # fmt: skip
    print(table(map(status_row, devices)))
    print(f"Ready after {time.monotonic() - started:.1f} s. Log in: forgelab lab ssh {devices[0].name}")
    return 0


def _status(lab: Lab, arguments: argparse.Namespace) -> int:
    devices = lab.devices()
    print(table(map(status_row, devices)) if devices else "No devices. Make one: forgelab lab up web1")
    return 0


def _each(lab: Lab, arguments: argparse.Namespace) -> int:
    devices = [lab.device(name) for name in arguments.names]
    for device in devices:
        getattr(device, "remove" if arguments.verb == "rm" else arguments.verb)()
    return 0


def _start(lab: Lab, arguments: argparse.Namespace) -> int:
    for name in arguments.names:
        lab.device(name)
    lab.up_many(arguments.names)
    return 0


def _ssh(lab: Lab, arguments: argparse.Namespace) -> int:
    argv = [*lab.device(arguments.name).ssh_argv(arguments.user), *arguments.command]
    os.execvp(argv[0], argv)  # noqa: S606


def _exec(lab: Lab, arguments: argparse.Namespace) -> int:
    argv = lab.device(arguments.name).exec_argv(arguments.command or ["bash", "-l"])
    os.execvpe(argv[0], argv, GUEST_ENV)  # noqa: S606


def _snapshot(lab: Lab, arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    lab.snapshot(arguments.name, arguments.as_name)
    print(
        f"Kept after {time.monotonic() - started:.1f} s. Start from it: forgelab lab up NEW --from {arguments.as_name}"
    )
    return 0


def _snapshots(lab: Lab, arguments: argparse.Namespace) -> int:
    for name in arguments.remove or ():
        lab.remove_snapshot(name)
    if not arguments.remove:
        rows = [snapshot_row(snapshot, lab.snapshots.users(snapshot.name)) for snapshot in lab.snapshots.all()]
        print(table(rows, SNAPSHOT_HEADINGS) if rows else "No snapshots. Make one: forgelab lab snapshot NAME AS")
    return 0


def _down(lab: Lab, arguments: argparse.Namespace) -> int:
    lab.down(everything=arguments.all)
    return 0


def _doctor(lab: Lab, arguments: argparse.Namespace) -> int:
    needed = requirements()
    for item in needed:
        print(f"{'missing' if item.problem else 'ok':8} {item.title}{': ' if item.problem else ''}{item.problem}")
    site = lab.site
    folder = next(path for path in (site.dir, *site.dir.parents) if path.exists())
    print(f"state    {site.dir}, {format_size(shutil.disk_usage(folder).free)} free (an image takes about 300 MiB)")
    print(f"network  {site.net}.0/24 on {site.bridge}, {'up' if lab.network.is_up else 'down'}")
    print(f"images   {', '.join(lab.images.built()) or 'none yet'} in {site.images}")
    return 1 if any(item.problem for item in needed) else 0


def _image(lab: Lab, arguments: argparse.Namespace) -> int:
    if arguments.suites:
        lab.check()
    for suite in arguments.suites:
        print(lab.images.build(suite, lab.report))
    if not arguments.suites:
        print("\n".join(lab.images.built()) or "No images yet. Build one: forgelab lab image bookworm")
    return 0
