"""Why a server of a set has no place: the shortest reason that is true."""

from __future__ import annotations

from forgelab.devices.placement.assignment import Assignment, AssignmentProblem, Members, members_of
from forgelab.devices.placement.model import gb

SHOWN = 5  # devices that are listed one by one


def why_unplaced(problem: AssignmentProblem, assignment: Assignment, number: int) -> str:
    """A sentence without a full stop."""
    name = problem.wanted[number].name
    if not problem.candidates:
        return f"there is no device for {name}"
    alone = problem.alone[number]
    if not alone:
        return _refused_everywhere(problem, number)
    found = [_blocked(problem, assignment, number, spot) for spot in alone]
    full = [who for reason, who in found if not reason]
    others = [reason for reason, _ in found if reason]
    sentences = [_full(problem, assignment, number, full)] if full else []
    sentences += list(dict.fromkeys(others))[:SHOWN]
    return "; ".join(sentences)


def _refused_everywhere(problem: AssignmentProblem, number: int) -> str:
    reasons = [f"{one.name}: {_refused(problem, number, spot)}" for spot, one in enumerate(problem.candidates)]
    more = f" (and {len(reasons) - SHOWN} more)" if len(reasons) > SHOWN else ""
    return f"no device is suitable for {problem.wanted[number].name}: {'; '.join(reasons[:SHOWN])}{more}"


def _refused(problem: AssignmentProblem, number: int, spot: int) -> str:
    one, candidate = problem.wanted[number], problem.candidates[spot]
    if not problem.allowed(number, candidate.name):
        return "it was said not to be there"
    first = one.obstacles.get(candidate.name)
    return first or problem.scales[number].refusals(candidate)[0]


def _blocked(problem: AssignmentProblem, assignment: Assignment, number: int, spot: int) -> tuple[str, Members]:
    """What the rest of the set has against it on that device: a sentence, or the servers that take what is free."""
    name, device = problem.wanted[number].name, problem.candidates[spot].name
    for other, where in enumerate(assignment):
        if where is None or other == number:
            continue
        another = problem.wanted[other].name
        if where != spot and (number, other) in problem.together:
            return (
                f"{name} is to be together with {another}, and {problem.candidates[where].name} cannot take both",
                Members(),
            )
        if where == spot and (number, other) in problem.apart:
            return f"{name} is to be apart from {another}, which is on {device}", Members()
        if where == spot and (why := problem.clash(number, other)):
            return f"not on {device}: {why}", Members()
    return "", _fewest(problem, number, spot, members_of(assignment, spot))


def _fewest(problem: AssignmentProblem, number: int, spot: int, members: Members) -> Members:
    """As few of these servers as are enough to leave too little."""
    for other in sorted(members):
        fewer = members - {other}
        if not problem.scales[number].fits(problem.filled(spot, fewer)):
            members = fewer
    return members


def _full(problem: AssignmentProblem, assignment: Assignment, number: int, takers: list[Members]) -> str:
    needs = problem.wanted[number].needs
    where: dict[int, list[str]] = {}
    for other in sorted(frozenset[int]().union(*takers)):
        spot = assignment[other]
        if spot is not None:
            where.setdefault(spot, []).append(problem.wanted[other].name)
    once = " and ".join(
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} on {problem.candidates[spot].name}"
        for spot, names in sorted(where.items())
    )
    memory = any(
        problem.filled(spot, members).memory_free_mb < needs.memory_mb[0]
        for spot, members in ((assignment[min(taker)], taker) for taker in takers if taker)
        if spot is not None
    )
    what = f"{gb(needs.memory_mb[0])} RAM" if memory else f"{gb(needs.storage_mb[0])} storage"
    return f"no device has {what} left for {problem.wanted[number].name} once {once}"
