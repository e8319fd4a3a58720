from __future__ import annotations

import logging
import sys

from forgelab.lib.logs import Formatter

TOKEN = "8sbghg2bspdzlOMN7S3tMezBxIrOXqEvs49NRrit3p4"


def record(message: str, *args: object, error: bool = False) -> str:
    info = None
    if error:
        try:
            raise ValueError(f"http://10.0.0.1/join/{TOKEN} failed")
        except ValueError:
            info = sys.exc_info()
    return Formatter("%(message)s").format(logging.LogRecord("x", logging.INFO, "", 1, message, args, info))


def test_a_join_token_is_in_no_line_wherever_it_came_from() -> None:
    assert record("Not Found: %s", f"/join/{TOKEN}") == "Not Found: /join/..."
    assert record(f"GET /join/{TOKEN} HTTP/1.1") == "GET /join/... HTTP/1.1"
    assert TOKEN not in record("it failed", error=True)


def test_all_else_stays() -> None:
    assert record("/joining/7/ and /devices/%s/", "attic") == "/joining/7/ and /devices/attic/"
