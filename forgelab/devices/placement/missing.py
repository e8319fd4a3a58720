"""Why a server of a set has no place: the shortest reason that is true."""

from __future__ import annotations

from forgelab.devices.placement.board import Board, Members, Spots, members_of
from forgelab.devices.placement.model import gb

SHOWN = 5  # devices that are told one by one


def why_missing(board: Board, spots: Spots, number: int) -> str:
    """A sentence without a full stop."""
    name = board.wanted[number].name
    if not board.candidates:
        return f"there is no device for {name}"
    alone = board.alone[number]
    if not alone:
        return _refused_everywhere(board, number)
    found = [_blocked(board, spots, number, spot) for spot in alone]
    full = [who for reason, who in found if not reason]
    others = [reason for reason, _ in found if reason]
    sentences = [_full(board, spots, number, full)] if full else []
    sentences += list(dict.fromkeys(others))[:SHOWN]
    return "; ".join(sentences)


def _refused_everywhere(board: Board, number: int) -> str:
    told = [f"{candidate.name}: {_refused(board, number, spot)}" for spot, candidate in enumerate(board.candidates)]
    more = f" (and {len(told) - SHOWN} more)" if len(told) > SHOWN else ""
    return f"no device is suitable for {board.wanted[number].name}: {'; '.join(told[:SHOWN])}{more}"


def _refused(board: Board, number: int, spot: int) -> str:
    one, candidate = board.wanted[number], board.candidates[spot]
    if not board.allowed(number, candidate.name):
        return "it was said not to be there"
    first = one.obstacles.get(candidate.name)
    return first or board.scales[number].refusals(candidate)[0]


def _blocked(board: Board, spots: Spots, number: int, spot: int) -> tuple[str, Members]:
    """What the rest of the set has against it on that device: a sentence, or the servers that take what is free."""
    name, device = board.wanted[number].name, board.candidates[spot].name
    for other, where in enumerate(spots):
        if where is None or other == number:
            continue
        another = board.wanted[other].name
        if where != spot and (number, other) in board.together:
            return (
                f"{name} is to be together with {another}, and {board.candidates[where].name} cannot take both",
                Members(),
            )
        if where == spot and (number, other) in board.apart:
            return f"{name} is to be apart from {another}, which is on {device}", Members()
        if where == spot and (why := board.clash(number, other)):
            return f"not on {device}: {why}", Members()
    return "", _fewest(board, number, spot, members_of(spots, spot))


def _fewest(board: Board, number: int, spot: int, members: Members) -> Members:
    """As few of these servers as are enough to leave too little."""
    for other in sorted(members):
        fewer = members - {other}
        if not board.scales[number].fits(board.filled(spot, fewer)):
            members = fewer
    return members


def _full(board: Board, spots: Spots, number: int, takers: list[Members]) -> str:
    needs = board.wanted[number].needs
    where: dict[int, list[str]] = {}
    for other in sorted(frozenset[int]().union(*takers)):
        spot = spots[other]
        if spot is not None:
            where.setdefault(spot, []).append(board.wanted[other].name)
    once = " and ".join(
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} on {board.candidates[spot].name}"
        for spot, names in sorted(where.items())
    )
    memory = any(
        board.filled(spot, members).memory_free_mb < needs.memory_mb[0]
        for spot, members in ((spots[min(taker)], taker) for taker in takers if taker)
        if spot is not None
    )
    what = f"{gb(needs.memory_mb[0])} RAM" if memory else f"{gb(needs.storage_mb[0])} storage"
    return f"no device has {what} left for {board.wanted[number].name} once {once}"
