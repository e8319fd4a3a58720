"""Several servers placed at once, each where the whole set does best: what is asked, and what is answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forgelab.devices.placement.assignment import Assignment, AssignmentProblem
from forgelab.devices.placement.model import Candidate
from forgelab.devices.placement.policy import Policy, shipped_policy
from forgelab.devices.placement.request import Constraint, Wanted
from forgelab.devices.placement.score import Score
from forgelab.devices.placement.search import greedy, improved, searched
from forgelab.devices.placement.unplaced import why_unplaced

# Up to so many servers the best of all placements is searched for; more are placed one by one, then improved.
EXHAUSTIVE_LIMIT = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a server goes; the score is the one it has there with the rest of the set in place."""

    name: str
    device: str
    score: Score


@dataclass(frozen=True, slots=True)
class Missing:
    """A server for which there is no place, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Placement:
    """`best` says that no other placement is better; where it is false, none better was found."""

    choices: tuple[Choice, ...]
    missing: tuple[Missing, ...]
    best: bool

    @property
    def complete(self) -> bool:
        return not self.missing


def place_set(
    wanted: Sequence[Wanted],
    candidates: Iterable[Candidate],
    constraints: Sequence[Constraint] = (),
    policy: Policy | None = None,
) -> Placement:
    """A place for as many of the servers as possible, and then those with the most points together.

    Their names must differ. What is reserved for one the others cannot have. The order of servers, devices and
    constraints does not matter.
    """
    ordered = sorted(wanted, key=lambda one: one.name)
    problem = AssignmentProblem(
        ordered, sorted(candidates, key=lambda one: one.name), constraints, policy or shipped_policy()
    )
    assignment = greedy(problem)
    if len(ordered) <= EXHAUSTIVE_LIMIT:
        assignment, best = searched(problem, assignment)
    else:
        assignment, best = improved(problem, assignment), False
    return _placement(problem, assignment, best)


def _placement(problem: AssignmentProblem, assignment: Assignment, best: bool) -> Placement:
    choices, missing = [], []
    for number, spot in enumerate(assignment):
        name = problem.wanted[number].name
        if spot is None:
            missing.append(Missing(name, why_unplaced(problem, assignment, number)))
        else:
            choices.append(Choice(name, problem.candidates[spot].name, problem.score(number, spot, assignment)))
    return Placement(tuple(choices), tuple(missing), best)
