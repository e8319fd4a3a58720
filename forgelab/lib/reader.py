"""Takes typed values out of a file's mappings; whatever is not as it must be becomes a problem with its path."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from forgelab.lib.problems import Problems, did_you_mean, listing, quoted

SHORT, LONG = 200, 20_000
SIZE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?(MB|GB|TB)")
MEGABYTES = {"MB": 1, "GB": 1024, "TB": 1024 * 1024}
KINDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
}


class Reader:
    """One mapping of the file, at `path`; `keys` are all it may have."""

    def __init__(self, data: object, path: str, problems: Problems, keys: Iterable[str] | None = None) -> None:
        self.path, self.problems = path, problems
        self.data: dict[str, object] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            problems.add(path, f"must be a mapping with keys, not {kind_of(data)}")
        elif keys is not None:
            self._refuse_unknown(sorted(keys))

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def wrong(self, key: str, message: str) -> None:
        self.problems.add(self.at(key), message)

    def text(self, key: str, default: str | None = "", limit: int = SHORT, pattern: str = "", means: str = "") -> str:
        """Single-line text when `limit` is SHORT or less. `default=None` makes the key required."""
        if self._absent(key, default is None):
            return default or ""
        return text_at(self.data[key], self.at(key), self.problems, limit=limit, pattern=pattern, means=means)

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            self.wrong(key, f"must be true or false, not {kind_of(value)}")
            return default
        return value

    def integer(self, key: str, default: int | None, minimum: int, maximum: int) -> int | None:
        if self._absent(key, False):
            return default
        value = self.data[key]
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            self.wrong(key, f"must be a whole number from {minimum} to {maximum}, not {quoted(value)}")
            return default
        return value

    def megabytes(self, key: str, default: int | None) -> int:
        """A size such as `2GB`, in MB; 1 GB counts 1024 MB, as memory is sold."""
        if self._absent(key, default is None):
            return default or 0
        match = SIZE.fullmatch(value) if isinstance(value := self.data[key], str) else None
        size = round(float(match[1]) * MEGABYTES[match[2]]) if match else 0
        if size < 1:
            self.wrong(key, f"{quoted(value)} is not a size; write a number and MB, GB or TB, such as 2GB")
        return size

    def items(self, key: str, limit: int, required: bool = False) -> list[tuple[str, object]]:
        """A list's items with their paths."""
        if self._absent(key, required):
            return []
        return items_at(self.data[key], self.at(key), self.problems, limit)

    def _absent(self, key: str, required: bool) -> bool:
        if self.data.get(key) is not None:
            return False
        if key in self.data:
            self.wrong(key, "has no value; give it one or leave the key out")
        elif required:
            self.wrong(key, "is missing")
        return True

    def _refuse_unknown(self, keys: list[str]) -> None:
        for key in self.data:
            if key not in keys:
                hint = did_you_mean(key, keys)
                self.wrong(
                    key[:60], f"is not a known key{hint}" if hint else f"is not a known key; known are {listing(keys)}"
                )


def kind_of(value: object) -> str:
    return "nothing" if value is None else KINDS.get(type(value), type(value).__name__)


def items_at(value: object, path: str, problems: Problems, limit: int) -> list[tuple[str, object]]:
    if not isinstance(value, list):
        problems.add(path, f"must be a list, not {kind_of(value)}")
        return []
    if len(value) > limit:
        problems.add(path, f"has {len(value)} items; {limit} are allowed")
    return [(f"{path}[{number}]", item) for number, item in enumerate(value[:limit])]


def text_at(
    value: object, path: str, problems: Problems, *, limit: int = SHORT, pattern: str = "", means: str = ""
) -> str:
    """The value as NFC text, or "" with a problem; more than one line only where more than SHORT is allowed."""
    if not isinstance(value, str):
        hint = f'; write it in quotes: "{value}"' if isinstance(value, (int, float)) else ""
        problems.add(path, f"must be text, not {kind_of(value)}{hint}")
        return ""
    text = unicodedata.normalize("NFC", value)
    if fault := unsuitable(text.replace("\n", " ").replace("\t", " ") if limit > SHORT else text):
        problems.add(path, fault)
    elif len(text) > limit:
        problems.add(path, f"is {len(text)} characters long; {limit} are allowed")
    elif pattern and not re.fullmatch(pattern, text):
        problems.add(path, f"{quoted(text)} must be {means}")
    else:
        return text
    return ""


def unsuitable(text: str) -> str | None:
    """Why this cannot be a single line of harmless text, or None.

    Control characters, line and paragraph separators, lone surrogates and the marks that turn the reading direction
    (they make text look like other text) are refused; everything else in Unicode is welcome.
    """
    if text.isprintable():  # nearly always, and told a hundred times faster
        return None
    for character in text:
        if character in "\n\r":
            return "must be a single line"
        if (
            unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
            or character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        ):
            return f"has a control character (U+{ord(character):04X}), which is not allowed"
    return None
