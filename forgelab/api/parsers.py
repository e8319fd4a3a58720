"""Reads JSON bodies that anybody may have sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from forgelab.api.errors import TooLarge

MAX_BYTES = 1_000_000


class StrictJSONParser(BaseParser):
    """A valid JSON object in UTF-8, not too large or deep, without NaN and without halves of Unicode characters."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises `ParseError` saying where the mistake is, `TooLarge` above 1 MB."""
        data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise TooLarge(f"The body is too large: {MAX_BYTES} bytes are allowed.")
        try:
            value = json.loads(data.decode(), parse_constant=_refuse)
            json.dumps(value, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from None
        except UnicodeError:
            raise ParseError("The body is not valid Unicode text in UTF-8.") from None
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        if not isinstance(value, dict):
            raise ParseError('The body must be a JSON object, such as {"name": "laravel-production"}.')
        return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON value")
