"""Calls that race each other."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection


def at_once(*calls: Callable[[], object]) -> list[object]:
    """The results of calls made at the same moment, each in a thread with a connection of its own."""
    results: list[object] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def work(number: int) -> None:
        try:
            barrier.wait(60)
            results[number] = calls[number]()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
