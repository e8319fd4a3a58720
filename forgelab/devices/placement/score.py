"""Scores: how well a device suits one server, and the ranking of many devices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from forgelab.devices.placement import reasons as words
from forgelab.devices.placement.affinity import Affinities
from forgelab.devices.placement.model import Candidate, Needs, Tenant
from forgelab.devices.placement.policy import HUNDRED, Policy, shipped_policy
from forgelab.devices.placement.refusals import Demands
from forgelab.devices.placement.shares import Measure

ANYBODY = Tenant()


@dataclass(slots=True)
class Score:
    """A device's `points` (0 to 100) with the `reasons` for them, or its `refusals`.

    The sentences are made when they are asked for. `exact` orders what has the same points, and may exceed 100.
    """

    name: str
    points: int
    fits: bool
    exact: float = field(repr=False)
    candidate: Candidate = field(repr=False)
    _scale: Scale = field(repr=False, compare=False)

    @property
    def refusals(self) -> tuple[str, ...]:
        return () if self.fits else self._scale.refusals(self.candidate)

    @property
    def reasons(self) -> tuple[str, ...]:
        return words.reasons(self.candidate, self._scale.needs, self._scale.tenant, self._scale.policy)

    @property
    def summary(self) -> str:
        """In a few words: `8GB RAM, 75% load`."""
        return words.summary(self.candidate, self._scale.needs, self._scale.policy)


class Scale:
    """What one server is weighed by, prepared for many devices."""

    __slots__ = ("_affinities", "_measure", "fits", "needs", "policy", "refusals", "tenant")

    def __init__(self, needs: Needs, tenant: Tenant = ANYBODY, policy: Policy | None = None) -> None:
        self.needs, self.tenant = needs, tenant
        self.policy = policy or shipped_policy()
        self._measure = Measure(needs, self.policy)
        self._affinities = Affinities(tenant, self.policy)
        demands = Demands(needs)
        self.fits, self.refusals = demands.met, demands.refusals

    def score(self, candidate: Candidate) -> Score:
        if not self.fits(candidate):
            return Score(candidate.name, 0, False, 0.0, candidate, self)
        exact = self.exact(candidate)
        points = 0 if exact < 0 else HUNDRED if exact > HUNDRED else round(exact)
        return Score(candidate.name, points, True, exact, candidate, self)

    def exact(self, candidate: Candidate) -> float:
        """The points before they are rounded and kept between 0 and 100."""
        total = self._measure.total(candidate)
        return total + self._affinities.points(candidate.servers) if candidate.servers else total


def score(candidate: Candidate, needs: Needs, tenant: Tenant = ANYBODY, policy: Policy | None = None) -> Score:
    """How well the device suits this server. `tenant` says who the server is, for its affinities."""
    return Scale(needs, tenant, policy).score(candidate)


def rank(
    candidates: Iterable[Candidate], needs: Needs, tenant: Tenant = ANYBODY, policy: Policy | None = None
) -> list[Score]:
    """The scores, best first; devices that do not fit come last. The order of `candidates` does not matter."""
    scale = Scale(needs, tenant, policy)
    return sorted(map(scale.score, candidates), key=_order)


def _order(score: Score) -> tuple[bool, float, str]:
    return (not score.fits, -score.exact, score.name)
