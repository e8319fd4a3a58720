"""How often one address may guess join tokens."""

from __future__ import annotations

from django.core.cache import cache

GUESSES = 20  # wrong tokens from one address within a minute; a person mistypes one or two
MINUTE = 60


def may_guess(address: str) -> bool:
    return int(cache.get(_key(address), 0)) < GUESSES


def guessed_wrong(address: str) -> None:
    cache.add(_key(address), 0, MINUTE)
    try:
        cache.incr(_key(address))
    except ValueError:  # the minute has just ended
        cache.set(_key(address), 1, MINUTE)


def _key(address: str) -> str:
    return f"join-guesses-{address}"
