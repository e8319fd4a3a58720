"""One lab and one ForgeLab for the whole run of the tests: making them costs more than most tests."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from forgelab.lab import Lab, LabDevice, LabUnavailable
from tests.e2e.bases import Bases
from tests.e2e.config import BOOKWORM, NAME
from tests.support.fixtures import stack
from tests.support.stack import Stack

__all__ = ["stack"]  # a fixture


class OwnDevices(Lab):
    """A lab that knows which devices were made through it: others may be using the same lab meanwhile."""

    made: frozenset[str] = frozenset()

    def up_many(self, names: Sequence[str], **options: Any) -> list[LabDevice]:
        self.made |= set(names) - {device.name for device in self.devices()}
        return super().up_many(names, **options)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab, its network up. At the end what the tests made is gone, and the lab too if nobody else uses it."""
    lab = OwnDevices()
    try:
        lab.check()
    except LabUnavailable as missing:
        pytest.skip(f"no lab devices here: {missing}")
    lab.site.dir.mkdir(parents=True, exist_ok=True)
    with (lab.site.dir / "tests.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        lab.net_up()
        yield lab
        for device in lab.devices():
            if device.name in lab.made:
                device.remove()
        with suppress(BlockingIOError):  # others test with it
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not lab.devices():
                lab.down()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """What ForgeLab itself said goes with every failure: the run's detail alone rarely says why."""
    report = (yield).get_result()
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack:
        report.sections.append(("ForgeLab's log, its end", "\n".join(stack.log().splitlines()[-60:])))


@pytest.fixture(scope="session")
def bases(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Bases:
    return Bases(lab, lambda: Stack(tmp_path_factory.mktemp("base")))


@pytest.fixture(scope="session")
def join(lab: Lab, stack: Stack, bases: Bases) -> Callable[..., tuple[LabDevice, str]]:
    """Make a lab device, bare or from a base, and add it to ForgeLab: the device, and its id."""

    def make(
        name: str, *, user: str = "root", image: str | None = None, memory: str = "4G", base: str = ""
    ) -> tuple[LabDevice, str]:
        source = bases.snapshot(base) if base else None
        device = lab.up(name, image=image, source=source, memory=memory, cpus=2)
        return device, stack.add(device, lab.key_path, user)

    return make


@pytest.fixture(scope="session")
def device(join: Callable[..., tuple[LabDevice, str]]) -> tuple[LabDevice, str]:
    """The device of the App Server that many tests look at, reached by a user with sudo."""
    return join("e2e-app", user="homelab")


@pytest.fixture(scope="session")
def provisioned(stack: Stack, device: tuple[LabDevice, str]) -> dict:
    """The run that made the App Server on `device`."""
    run = stack.wait_for_end(stack.provision(NAME, device[1], BOOKWORM))
    assert run["status"] == "succeeded", run["status_detail"]
    return run
