"""One ForgeLab for all cases of a process, and a lab from which nothing is taken but the cases' own devices."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.matrix.checks", "tests.matrix.machine")

from forgelab.lab import Lab, LabUnavailable  # noqa: E402 - checks tell what they compared
from tests.e2e.conftest import stack  # noqa: E402
from tests.matrix.homelab import Homelab  # noqa: E402
from tests.support.stack import Stack  # noqa: E402

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
def homelab(lab: Lab, stack: Stack) -> Homelab:
    return Homelab(lab, stack)
