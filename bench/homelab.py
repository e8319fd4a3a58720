"""What the parts share: lab devices and a ForgeLab of the bench's own, gone again at the end, also after Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from forgelab.lab import Lab, LabDevice
from tests.e2e.config import BOOKWORM
from tests.support.stack import Stack

PREFIX = "bench-"


class Homelab:
    """Devices and a running ForgeLab, made when first asked for. Use it in a `with` statement."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="forgelab-bench-"))
        self._stack: Stack | None = None
        self._ids: dict[str, str] = {}

    def __enter__(self) -> Homelab:
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it behind
        try:
            if self._stack:
                self._stack.stop()
        finally:
            if self._stack:
                shutil.rmtree(self._stack.environment["FORGELAB_RUNS_DIR"], ignore_errors=True)
            if "lab" in self.__dict__:
                self._close_lab()
            shutil.rmtree(self.folder, ignore_errors=True)
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @cached_property
    def lab(self) -> Lab:
        """The lab, free of what an earlier bench left that was killed."""
        lab = Lab(report=print)
        self._was_up = lab.site.record_path.exists()
        lab.net_up()
        for device in lab.devices():
            if device.name.startswith(PREFIX):
                device.remove()
        return lab

    def _close_lab(self) -> None:
        others = False
        for device in self.lab.devices():
            if device.name.startswith(PREFIX):
                device.remove()
            else:
                others = True
        if not (self._was_up or others):
            self.lab.down()

    @property
    def stack(self) -> Stack:
        if self._stack is None:
            self._stack = Stack(self.folder / "data", FORGELAB_LOG_LEVEL="WARNING")
            self._stack.start()
        return self._stack

    def django(self) -> None:
        """Let this process read and write the stack's database with Django."""
        for name in ("FORGELAB_DATA_DIR", "FORGELAB_RUNS_DIR", "FORGELAB_LOG_LEVEL"):
            os.environ[name] = self.stack.environment[name]
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forgelab.settings")
        import django

        django.setup()

    def fresh(self, name: str, *, memory: str = "4G", cpus: float = 2) -> LabDevice:
        """A device that nothing was installed on."""
        return self.lab.up(PREFIX + name, memory=memory, cpus=cpus)

    def known(self, device: LabDevice) -> str:
        """The device's id in ForgeLab, to which it is added."""
        if device.name not in self._ids:
            self._ids[device.name] = self.stack.add(device, self.lab.key_path)
        return self._ids[device.name]

    def provision(self, device: LabDevice) -> dict[str, Any]:
        """Provision the App Server there, or again, and wait; the finished run as the API returns it."""
        run = self.stack.wait_for_end(
            self.stack.provision(server_name(device), self.known(device), BOOKWORM), timeout=1200
        )
        if run["status"] != "succeeded":
            raise SystemExit(
                f"The App Server could not be provisioned, so nothing can be measured: {run['status_detail']}"
            )
        return run

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """All events of a run, as the API returns them."""
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["counter"] if found else 0
            page = self.stack.api.get(f"runs/{run_id}/events", params={"after": after, "limit": 2000}).json()["results"]
            if not page:
                return found
            found += page

    @cached_property
    def app_server(self) -> tuple[LabDevice, dict[str, Any]]:
        """A device with the App Server on it, and the run that provisioned it."""
        device = self.fresh("app")
        return device, self.provision(device)

    def browser(self) -> dict[str, str]:
        """Log in on the page, as a browser does; the cookies it has then."""
        with self.stack.logged_in() as client:
            return dict(client.cookies)


def server_name(device: LabDevice) -> str:
    return f"on-{device.name}"


def wait_until_calm(limit: float = 1.0, patience: float = 20) -> None:
    """Give the machine some seconds to come to rest, so that a part does not pay for the one before it."""
    end = time.monotonic() + patience
    with suppress(OSError):
        while os.getloadavg()[0] > limit and time.monotonic() < end:
            time.sleep(1)
