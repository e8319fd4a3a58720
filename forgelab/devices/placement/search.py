"""Finding places for a set: one by one with repairs, by exchanges, and by looking at all that could be better."""

from __future__ import annotations

from collections.abc import Iterator

from forgelab.devices.placement.assignment import (
    UNPLACED,
    Assignment,
    AssignmentProblem,
    Members,
    members_of,
    objective,
)

SEARCH_LIMIT = 20_000  # placements looked at before the search is content with the best so far
ROUNDS = 4  # of looking for a better device for each server


def greedy(problem: AssignmentProblem) -> Assignment:
    """One by one, the hardest first, each where it adds most; what finds no place may push one other aside."""
    assignment: list[int | None] = [None] * len(problem.wanted)
    for number in _hardest_first(problem):
        spot = _best_spot(problem, number, assignment)
        if spot is not None:
            assignment[number] = spot
        else:
            assignment = _repaired(problem, number, assignment) or assignment
    return tuple(assignment)


def _hardest_first(problem: AssignmentProblem) -> list[int]:
    """Those with the fewest devices to choose from, then the largest."""
    numbers = range(len(problem.wanted))
    return sorted(numbers, key=lambda n: (len(problem.alone[n]), [-size for size in _size(problem, n)], n))


def _size(problem: AssignmentProblem, number: int) -> tuple[int, int]:
    needs = problem.wanted[number].needs
    return needs.memory_mb[0], needs.storage_mb[0]


def _best_spot(problem: AssignmentProblem, number: int, assignment: list[int | None]) -> int | None:
    gains = {spot: _gain(problem, number, spot, assignment) for spot in problem.open[number]}
    found = [(gain, -spot) for spot, gain in gains.items() if gain is not None]
    return -max(found)[1] if found else None


def _gain(problem: AssignmentProblem, number: int, spot: int, assignment: list[int | None]) -> float | None:
    """What all points together gain when the server goes there; None where it cannot."""
    if not problem.permits(number, spot, assignment):
        return None
    members = members_of(assignment, spot) - {number}
    before, after = problem.total(spot, members), problem.total(spot, members | {number})
    return None if before is None or after is None else after - before


def _repaired(problem: AssignmentProblem, number: int, assignment: list[int | None]) -> list[int | None] | None:
    """The assignment with the server placed and one other moved for it; None where that does not help."""
    for spot in problem.open[number]:
        for other in sorted(members_of(assignment, spot)):
            tried = list(assignment)
            tried[other] = None
            if _gain(problem, number, spot, tried) is None:
                continue
            tried[number] = spot
            elsewhere = _best_spot(problem, other, tried)
            if elsewhere is not None:
                tried[other] = elsewhere
                return tried
    return None


def improved(problem: AssignmentProblem, assignment: Assignment) -> Assignment:
    """The assignment with each server moved to a better device as long as that helps."""
    now = list(assignment)
    for _ in range(ROUNDS):
        before = list(now)
        for number in range(len(now)):
            now[number] = None
            best = _best_spot(problem, number, now)
            now[number] = before[number] if best is None else best
        if now == before:
            break
    first, then = objective(problem, assignment), objective(problem, now)
    return tuple(now) if first is None or (then is not None and then > first) else assignment


def searched(problem: AssignmentProblem, assignment: Assignment) -> tuple[Assignment, bool]:
    """The best assignment of all, beginning with those known; and whether really all were looked at or ruled out."""
    search = _Search(problem, assignment)
    search.run()
    return search.best, not search.gave_up and not problem.cut


class _Search:
    """Branch and bound: what cannot become better than the best so far is not followed."""

    def __init__(self, problem: AssignmentProblem, assignment: Assignment) -> None:
        known = objective(problem, assignment)
        self.problem, self.best = problem, assignment
        self.most = UNPLACED * (len(assignment) + 1) if known is None else known
        self.order = _hardest_first(problem)
        self.upper_bounds = [problem.upper_bound(number) for number in range(len(assignment))]
        # The most that the servers from each position of the order on can bring.
        self.ahead = [0.0]
        for number in reversed(self.order):
            alone = max(problem.alone[number].values(), default=None)
            self.ahead.insert(0, self.ahead[0] + (UNPLACED if alone is None else alone + self.upper_bounds[number]))
        self.effort, self.gave_up = 0, False

    def run(self) -> None:
        self._follow(0, [None] * len(self.order), {}, 0.0)

    def _follow(
        self, depth: int, assignment: list[int | None], devices: dict[int, Members], placed_bound: float
    ) -> None:
        if depth == len(self.order):
            found = objective(self.problem, assignment)
            if found is not None and found > self.most + 1e-9:
                self.best, self.most = tuple(assignment), found
            return
        number = self.order[depth]
        for spot in self._ways(number, assignment):
            self.effort += 1
            if self.effort > SEARCH_LIMIT:
                self.gave_up = True
                return
            assignment[number] = spot
            members = dict(devices)
            if spot is not None:
                members[spot] = devices.get(spot, frozenset()) | {number}
            upper_bound = placed_bound + (self.upper_bounds[number] if spot is not None else UNPLACED)
            now = self._points(members)
            if now is not None and now + upper_bound + self.ahead[depth + 1] > self.most + 1e-9:
                self._follow(depth + 1, assignment, members, upper_bound)
            assignment[number] = None

    def _ways(self, number: int, assignment: list[int | None]) -> Iterator[int | None]:
        for spot in self.problem.open[number]:
            if self.problem.permits(number, spot, assignment):
                yield spot
        yield None

    def _points(self, devices: dict[int, Members]) -> float | None:
        """Of those placed so far. More beside them lower it, but never by less than their upper bounds allow."""
        total = 0.0
        for spot, members in devices.items():
            points = self.problem.total(spot, members)
            if points is None:
                return None
            total += points
        return total
