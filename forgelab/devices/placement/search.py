"""Finding places for a set: one by one with repairs, by exchanges, and by looking at all that could be better."""

from __future__ import annotations

from collections.abc import Iterator

from forgelab.devices.placement.board import NOWHERE, Board, Members, Spots, members_of, worth

EFFORT = 20_000  # placements looked at before the search is content with the best so far
ROUNDS = 4  # of looking for a better device for each server


def greedy(board: Board) -> Spots:
    """One by one, the hardest first, each where it adds most; what finds no place may push one other aside."""
    spots: list[int | None] = [None] * len(board.wanted)
    for number in _hardest_first(board):
        spot = _best_spot(board, number, spots)
        if spot is not None:
            spots[number] = spot
        else:
            spots = _repaired(board, number, spots) or spots
    return tuple(spots)


def _hardest_first(board: Board) -> list[int]:
    """Those with the fewest devices to choose from, then the largest."""
    numbers = range(len(board.wanted))
    return sorted(numbers, key=lambda n: (len(board.alone[n]), [-size for size in _size(board, n)], n))


def _size(board: Board, number: int) -> tuple[int, int]:
    needs = board.wanted[number].needs
    return needs.memory_mb[0], needs.storage_mb[0]


def _best_spot(board: Board, number: int, spots: list[int | None]) -> int | None:
    gains = {spot: _gain(board, number, spot, spots) for spot in board.open[number]}
    found = [(gain, -spot) for spot, gain in gains.items() if gain is not None]
    return -max(found)[1] if found else None


def _gain(board: Board, number: int, spot: int, spots: list[int | None]) -> float | None:
    """What all points together gain when the server goes there; None where it cannot."""
    if not board.stands(number, spot, spots):
        return None
    members = members_of(spots, spot) - {number}
    before, after = board.total(spot, members), board.total(spot, members | {number})
    return None if before is None or after is None else after - before


def _repaired(board: Board, number: int, spots: list[int | None]) -> list[int | None] | None:
    """The spots with the server placed and one other moved for it; None where that does not help."""
    for spot in board.open[number]:
        for other in sorted(members_of(spots, spot)):
            tried = list(spots)
            tried[other] = None
            if _gain(board, number, spot, tried) is None:
                continue
            tried[number] = spot
            elsewhere = _best_spot(board, other, tried)
            if elsewhere is not None:
                tried[other] = elsewhere
                return tried
    return None


def improved(board: Board, spots: Spots) -> Spots:
    """The spots with each server moved to a better device as long as that helps."""
    now = list(spots)
    for _ in range(ROUNDS):
        before = list(now)
        for number in range(len(now)):
            now[number] = None
            best = _best_spot(board, number, now)
            now[number] = before[number] if best is None else best
        if now == before:
            break
    first, then = worth(board, spots), worth(board, now)
    return tuple(now) if first is None or (then is not None and then > first) else spots


def searched(board: Board, spots: Spots) -> tuple[Spots, bool]:
    """The best spots of all, beginning with those known; and whether really all were looked at or ruled out."""
    search = _Search(board, spots)
    search.run()
    return search.best, not search.tired and not board.cut


class _Search:
    """Branch and bound: what cannot become better than the best so far is not followed."""

    def __init__(self, board: Board, spots: Spots) -> None:
        known = worth(board, spots)
        self.board, self.best = board, spots
        self.most = NOWHERE * (len(spots) + 1) if known is None else known
        self.order = _hardest_first(board)
        self.hopes = [board.hope(number) for number in range(len(spots))]
        # The most that the servers from each position of the order on can bring.
        self.ahead = [0.0]
        for number in reversed(self.order):
            alone = max(board.alone[number].values(), default=None)
            self.ahead.insert(0, self.ahead[0] + (NOWHERE if alone is None else alone + self.hopes[number]))
        self.effort, self.tired = 0, False

    def run(self) -> None:
        self._follow(0, [None] * len(self.order), {}, 0.0)

    def _follow(self, depth: int, spots: list[int | None], devices: dict[int, Members], placed_hope: float) -> None:
        if depth == len(self.order):
            found = worth(self.board, spots)
            if found is not None and found > self.most + 1e-9:
                self.best, self.most = tuple(spots), found
            return
        number = self.order[depth]
        for spot in self._ways(number, spots):
            self.effort += 1
            if self.effort > EFFORT:
                self.tired = True
                return
            spots[number] = spot
            members = dict(devices)
            if spot is not None:
                members[spot] = devices.get(spot, frozenset()) | {number}
            hope = placed_hope + (self.hopes[number] if spot is not None else NOWHERE)
            now = self._points(members)
            if now is not None and now + hope + self.ahead[depth + 1] > self.most + 1e-9:
                self._follow(depth + 1, spots, members, hope)
            spots[number] = None

    def _ways(self, number: int, spots: list[int | None]) -> Iterator[int | None]:
        for spot in self.board.open[number]:
            if self.board.stands(number, spot, spots):
                yield spot
        yield None

    def _points(self, devices: dict[int, Members]) -> float | None:
        """Of those placed so far. More beside them lower it, but for what they can hope for."""
        total = 0.0
        for spot, members in devices.items():
            points = self.board.total(spot, members)
            if points is None:
                return None
            total += points
        return total
