"""When a device that did not answer is asked again. Counted in minutes' ticks; pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

AFTER_SILENCE = (0, 0, 1, 1, 2)  # ticks left out after the first, second ... miss in a row
AFTER_REFUSAL = (1, 2, 4)  # a device that refuses us counts our attempts: fail2ban takes five in ten minutes


@dataclass
class _Pause:
    word: str
    failures: int
    left: int
    detail: str
    key_changed: bool


@dataclass
class Backoff:
    """Remembers who is left alone. A pause ends early when `word` changes, which names how the device is reached."""

    _pauses: dict[Hashable, _Pause] = field(default_factory=dict)

    def failed(self, key: Hashable, word: str, detail: str, *, refused: bool, key_changed: bool = False) -> None:
        before = self._pauses.get(key)
        failures = before.failures + 1 if before and before.word == word else 1
        steps = AFTER_REFUSAL if refused else AFTER_SILENCE
        self._pauses[key] = _Pause(word, failures, steps[min(failures, len(steps)) - 1], detail, key_changed)

    def answered(self, key: Hashable) -> None:
        self._pauses.pop(key, None)

    def is_paused(self, key: Hashable, word: str) -> tuple[str, bool] | None:
        """Once a tick: why the device is not asked this time, and whether its key has changed; None when it is."""
        pause = self._pauses.get(key)
        if pause is None or pause.left <= 0 or pause.word != word:
            return None
        pause.left -= 1
        return pause.detail, pause.key_changed

    def keep_only(self, keys: Iterable[Hashable]) -> None:
        wanted = set(keys)
        self._pauses = {key: pause for key, pause in self._pauses.items() if key in wanted}
