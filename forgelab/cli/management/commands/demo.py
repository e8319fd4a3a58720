"""`forgelab demo`: from nothing to a proved App Server on virtual devices, and how to go on from there."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import follow
from forgelab.cli.base import Failure, ForgeCommand, console
from forgelab.cli.demo import homelab, proof
from forgelab.cli.server import result
from forgelab.cli.stack.state import Stack, data_dir
from forgelab.lab import Lab, LabError, LabUnavailable
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking
from forgelab.servers.provisioning import services
from forgelab.servers.spec.server_spec import draft

TYPE, NAME = "laravel-app-server", "laravel-production"
# What Debian 12 offers by itself, so that the demo needs no vendor's repository and no PHP package registry.
CONFIG = {"php_version": "8.2", "postgresql_version": "15", "include_laravel_installer": False}
PORTS = range(8000, 8010)


class Command(ForgeCommand):
    help = "Start three virtual devices, provision an App Server on the best one and prove that it works."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stop", action="store_true", help="stop ForgeLab and remove the demo's devices")
        parser.set_defaults(verb=demo)


def demo(chosen: argparse.Namespace) -> int:
    lab = Lab(report=print)
    try:
        return stop(lab) if chosen.stop else start(lab)
    except LabUnavailable as missing:
        raise Failure(f"The demo needs virtual devices, and this machine cannot have them yet.\n{missing}") from None
    except LabError as error:
        raise Failure(str(error)) from None


def start(lab: Lab) -> int:
    began = time.monotonic()
    lab.check()
    url = _stack_up()
    out = console()
    out.print("\nThree virtual Debian devices")
    for device in homelab.devices_up(lab):
        memory, cores = (device.memory_total_mb or 0) / 1024, device.cores
        out.print(f"  {device.name:<20} {device.address:<14} {memory:.0f} GB memory, {cores} cores")
    _show_ranking()
    server = _provision()
    out.print("\nThe proof")
    try:
        for found in proof.prove(server):
            out.print(f"  ✔ {found.what}: {found.seen}")
    except proof.ProofFailed as error:
        raise Failure(str(error)) from None
    out.print(f"\nDone in {time.monotonic() - began:.0f} seconds. ForgeLab is at {url}")
    out.print(f"Credentials:  forgelab server credentials {NAME}        Stop:  make demo-stop")
    return 0


def _stack_up() -> str:
    stack = Stack(data_dir())
    for port in PORTS:
        if stack.is_running():
            break
        command = [sys.executable, "-m", "forgelab.cli.main", "up", "--detach", "--no-open", "--port", str(port)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode and "Cannot listen" not in done.stderr:
            raise Failure(done.stderr.strip().removeprefix("forgelab: "))
    state = stack.read()
    if state is None:
        raise Failure(f"ForgeLab did not start; its log is {stack.log_file}")
    return state.url


def _show_ranking() -> None:
    out = console()
    out.print(f"\nWhere does {NAME} fit best?")
    if server := Server.objects.filter(name=NAME).select_related("device").first():
        out.print(f"  It is on {server.device.name} already, and is provisioned again there.")
        return
    for score in ranking.placement_rank(draft(recipe_catalog().get(TYPE), name=NAME, config=CONFIG)):
        why = "; ".join(score.reasons if score.fits else score.refusals)
        points = f"{score.points}/100" if score.fits else "no"
        out.print(f"  {score.name:<20} {points:>7}  {why}")


def _provision() -> Server:
    run = services.server_provision(server_type=TYPE, name=NAME, device=None, config=CONFIG, actor=from_shell())
    console().print(f"\nProvisioning {NAME} on {run.device.name}\n")
    snapshot = follow.follow(run.pk, cancel_on_interrupt=True)
    if snapshot["status"] != "succeeded":
        raise Failure(result.failure(snapshot))
    changed = sum(snapshot["outcome"]["recap"]["changed"].values())
    took = f"{snapshot['seconds']:.0f} seconds"
    console().print(f"\n{changed} changes on the device in {took}" if changed else f"\nNothing to change ({took})")
    server = Server.objects.select_related("device__identity").get(pk=snapshot["subject_id"])
    console().print("  " + "\n  ".join(str(component) for component in server.components.all()))
    return server


def stop(lab: Lab) -> int:
    if Stack(data_dir()).is_running():
        subprocess.run([sys.executable, "-m", "forgelab.cli.main", "down"], check=False)
    ours = {size.name for size in homelab.SIZES}
    for device in lab.devices():
        if device.name in ours:
            device.remove()
            print(f"Removed {device.name}.")
    if not lab.devices():
        lab.down()
        print(
            "The lab is down. Images and packages are kept for the next time; `forgelab lab down --all` removes them."
        )
    return 0
