"""One ForgeLab for all cases of a process, and a lab from which nothing is taken but the cases' own devices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

pytest.register_assert_rewrite("matrix.checks", "matrix.machine")

from forgelab.lab import Lab, LabUnavailable  # noqa: E402 - checks tell what they compared
from matrix.cases import chosen, wants_mysql  # noqa: E402
from matrix.homelab import Homelab  # noqa: E402
from tests.support.fixtures import stack  # noqa: E402
from tests.support.stack import Stack  # noqa: E402
from tests.support.unstable import mysql_vendor  # noqa: E402

__all__ = ["homelab", "lab", "stack"]


@pytest.fixture(scope="session")
def lab() -> Lab:
    """Unlike the other tests' lab it takes away nothing at the end: several processes use it at a time."""
    lab = Lab()
    try:
        lab.check()
    except LabUnavailable as missing:
        pytest.skip(f"no lab devices here: {missing}")
    lab.net_up()
    return lab


@pytest.fixture(scope="session")
def homelab(lab: Lab, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homelab]:
    with ExitStack() as vendors:
        if any(wants_mysql(case) for case in chosen()):
            folder = tmp_path_factory.mktemp("mysql")
            vendors.enter_context(mysql_vendor(folder, lab.site.gateway, stack.data_dir))
        yield Homelab(lab, stack)
