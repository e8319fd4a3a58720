"""The servers of a set against the devices: what may stand where, and what that is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from forgelab.devices.placement.affinity import Affinities
from forgelab.devices.placement.model import Candidate
from forgelab.devices.placement.policy import Policy
from forgelab.devices.placement.request import Constraint, Wanted
from forgelab.devices.placement.score import Scale, Score

Assignment = tuple[int | None, ...]  # by the servers' numbers, the numbers of their devices; None: nowhere
Members = frozenset[int]
Pairs = set[tuple[int, int]]
SHORTLIST = 24  # devices looked at for each server, the best by themselves
UNPLACED = -1e6  # points of a server without a place: one more that is placed is worth more than any points


class AssignmentProblem:
    """Servers and devices go by their numbers. What is asked again and again is remembered."""

    def __init__(
        self,
        wanted: Sequence[Wanted],
        candidates: Sequence[Candidate],
        constraints: Iterable[Constraint],
        policy: Policy,
    ) -> None:
        self.wanted, self.candidates, self.policy = wanted, candidates, policy
        self.scales = [Scale(one.needs, one.tenant, policy) for one in wanted]
        self.together, self.apart, self.spread = Pairs(), Pairs(), Pairs()
        self.only: dict[int, set[str]] = {}
        self.never: dict[int, set[str]] = {}
        self._numbers = {one.name: number for number, one in enumerate(wanted)}
        for constraint in constraints:
            self._constrain(constraint)
        self._totals: dict[tuple[int, Members], float | None] = {}
        self.alone = [self._alone(number) for number in range(len(wanted))]
        self.cut = any(len(fitting) > SHORTLIST for fitting in self.alone)
        self.open = [tuple(fitting)[:SHORTLIST] for fitting in self.alone]

    def _constrain(self, constraint: Constraint) -> None:
        members = [self._numbers[name] for name in constraint.names if name in self._numbers]
        if constraint.kind == "on":
            for member in members:
                self.only.setdefault(member, set()).add(constraint.device)
        elif constraint.kind == "not_on":
            for member in members:
                self.never.setdefault(member, set()).add(constraint.device)
        else:
            pairs = {"together": self.together, "apart": self.apart, "spread": self.spread}[constraint.kind]
            pairs |= {(one, other) for one in members for other in members if one != other}

    def _alone(self, number: int) -> dict[int, float]:
        """The devices that could take the server if the rest of the set were nowhere, the best first."""
        one, scale, found = self.wanted[number], self.scales[number], {}
        for spot, candidate in enumerate(self.candidates):
            if candidate.name not in one.obstacles and self.allowed(number, candidate.name) and scale.fits(candidate):
                found[spot] = scale.exact(candidate)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def allowed(self, number: int, device: str) -> bool:
        """Whether the constraints let the server be on that device at all."""
        return self.only.get(number, {device}) == {device} and device not in self.never.get(number, ())

    def upper_bound(self, number: int) -> float:
        """The most that the rest of the set could add to the server's points by standing beside it."""
        others = [one.tenant for other, one in enumerate(self.wanted) if other != number]
        found = Affinities(self.wanted[number].tenant, self.policy).affinities(others)
        return sum(affinity.points for affinity in found if affinity.points > 0)

    def permits(self, number: int, spot: int, assignment: Sequence[int | None]) -> bool:
        """Whether the server may stand there, as to the constraints and to who is on it; not as to what is free."""
        for other, where in enumerate(assignment):
            if other == number or where is None:
                continue
            pair = (number, other)
            if where == spot and (pair in self.apart or self.clash(number, other)):
                return False
            if where != spot and pair in self.together:
                return False
        return True

    def clash(self, number: int, other: int) -> str:
        """Why the two cannot share a device; empty when they can."""
        one, another = self.wanted[number], self.wanted[other]
        return one.clashes.get(another.name, "") or another.clashes.get(one.name, "")

    def total(self, spot: int, members: Members) -> float | None:
        """The points of these servers on that device, all of them in place; None where one of them does not fit."""
        key = (spot, members)
        if key not in self._totals:
            self._totals[key] = self._total(spot, members)
        return self._totals[key]

    def _total(self, spot: int, members: Members) -> float | None:
        total = 0.0
        for number in sorted(members):
            candidate = self.filled(spot, members - {number})
            if not self.scales[number].fits(candidate):
                return None
            total += self.scales[number].exact(candidate)
        crowded = sum((one, other) in self.spread for one in members for other in members)
        return total - crowded * self.policy.fit["replica"]

    def filled(self, spot: int, members: Iterable[int]) -> Candidate:
        """The device with these servers' parts reserved."""
        candidate, joining = self.candidates[spot], [self.wanted[number] for number in sorted(members)]
        if not joining:
            return candidate
        return dataclasses.replace(
            candidate,
            pending_mb=candidate.pending_mb + sum(one.needs.memory_mb[0] for one in joining),
            pending_disk_mb=candidate.pending_disk_mb + sum(one.needs.storage_mb[0] for one in joining),
            servers=(*candidate.servers, *(one.tenant for one in joining)),
        )

    def score(self, number: int, spot: int, assignment: Assignment) -> Score:
        """The server's score there, with the rest of the set in place."""
        others = [other for other, where in enumerate(assignment) if where == spot and other != number]
        return self.scales[number].score(self.filled(spot, others))


def members_of(assignment: Sequence[int | None], spot: int) -> Members:
    return frozenset(number for number, where in enumerate(assignment) if where == spot)


def objective(problem: AssignmentProblem, assignment: Sequence[int | None]) -> float | None:
    """All points together; None where a device would be asked for more than it has."""
    found = [
        problem.total(spot, members_of(assignment, spot)) for spot in sorted({s for s in assignment if s is not None})
    ]
    if None in found:
        return None
    return sum(filter(None, found)) + UNPLACED * list(assignment).count(None)
