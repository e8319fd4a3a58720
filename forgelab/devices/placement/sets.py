"""Several servers placed at once, each where the whole set does best: what is asked, and what is answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forgelab.devices.placement.board import Board, Spots
from forgelab.devices.placement.missing import why_missing
from forgelab.devices.placement.model import Candidate
from forgelab.devices.placement.policy import Policy, shipped_policy
from forgelab.devices.placement.score import Score
from forgelab.devices.placement.search import greedy, improved, searched
from forgelab.devices.placement.wishes import Constraint, Wanted

FEW = 8  # servers that are searched for the best solution of all; more are placed one by one and then improved


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
    """`best` tells that no other placement is better; where it is false, none better was found."""

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

    Their names must differ. What one is promised the others cannot have. The order of servers, devices and constraints
    does not matter.
    """
    ordered = sorted(wanted, key=lambda one: one.name)
    board = Board(ordered, sorted(candidates, key=lambda one: one.name), constraints, policy or shipped_policy())
    spots = greedy(board)
    if len(ordered) <= FEW:
        spots, best = searched(board, spots)
    else:
        spots, best = improved(board, spots), False
    return _told(board, spots, best)


def _told(board: Board, spots: Spots, best: bool) -> Placement:
    choices, missing = [], []
    for number, spot in enumerate(spots):
        name = board.wanted[number].name
        if spot is None:
            missing.append(Missing(name, why_missing(board, spots, number)))
        else:
            choices.append(Choice(name, board.candidates[spot].name, board.score(number, spot, spots)))
    return Placement(tuple(choices), tuple(missing), best)
