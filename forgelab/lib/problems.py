"""What can be wrong with a file or with the values somebody chose, said so that it can be mended."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

SHOWN_CHOICES = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where (`components[1].extensions[3]`), what is wrong and what is allowed, the line if known."""

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.path}: {self.message}" if self.path else f"{where}{self.message}"


class DocumentError(Exception):
    """A file cannot be used. `problems` holds every mistake found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigInvalid(ValueError):
    """Chosen values cannot be used. `errors` maps each field's name to a sentence saying what is allowed."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__("\n".join(f"{name}: {message}" for name, message in self.errors.items()))


class Problems:
    """Collects mistakes while a file is read, so that all are reported at once."""

    def __init__(self, lines: Mapping[str, int] | None = None) -> None:
        self._found: list[Problem] = []
        self._lines = lines or {}

    def add(self, path: str, message: str) -> None:
        self._found.append(Problem(path, message, self._line(path)))

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def raise_any(self) -> None:
        """Raises DocumentError with everything collected; returns when there is nothing."""
        if self._found:
            raise DocumentError(sorted(self._found, key=lambda problem: problem.line or 0))

    def _line(self, path: str) -> int | None:
        while path and path not in self._lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self._lines.get(path)


def listing(allowed: Iterable[object]) -> str:
    """`8.0, 8.1, 8.2`; long lists are cut."""
    names = [str(name) for name in allowed]
    more = f" and {len(names) - SHOWN_CHOICES} more" if len(names) > SHOWN_CHOICES else ""
    return ", ".join(names[:SHOWN_CHOICES]) + more if names else "(nothing)"


def not_one_of(value: object, allowed: Iterable[object]) -> str:
    """`"7.4" is not one of 8.0, 8.1`, with a guess at what was meant."""
    names = [str(name) for name in allowed]
    return f"{quoted(value)} is not one of {listing(names)}{did_you_mean(value, names)}"


def did_you_mean(value: object, allowed: Iterable[object]) -> str:
    """A guess, or "". None for numbers: of versions, the one that looks alike is no more likely meant."""
    if not any(character.isalpha() for character in str(value)):
        return ""
    close = difflib.get_close_matches(str(value)[:100], [str(name) for name in allowed], n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def quoted(value: object, limit: int = 60) -> str:
    """The value as it can be shown in a sentence: text in double quotes, control characters escaped, cut when long."""
    text = str(value)
    text = text if len(text) <= limit else text[:limit] + "…"
    shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return f'"{shown}"' if isinstance(value, str) else shown
