"""What a page of documentation is made of, and how it reads as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

GENERATED = "<!-- Made by `make docs`. Changes made here are lost. -->"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are plain text in which `backticks` mark what is code."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def filled(self) -> Table:
        """Without the columns that are empty throughout."""
        used = [n for n, _ in enumerate(self.head) if n == 0 or any(row[n] for row in self.rows)]
        return Table(tuple(self.head[n] for n in used), [tuple(row[n] for n in used) for row in self.rows])


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what is below it: `text` (a paragraph), then a list, then a table, then `code`."""

    title: str
    text: str = ""
    items: tuple[str, ...] = ()
    table: Table | None = None
    code: str = ""
    language: str = ""
    level: int = 2

    def __bool__(self) -> bool:
        return bool(self.text or self.items or (self.table and self.table.rows) or self.code)


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    lead: str
    sections: tuple[Section, ...] = field(default=())


def markdown(page: Page) -> str:
    """The page as a file."""
    blocks = [GENERATED, f"# {_line(page.title)}", page.lead.strip()]
    for section in page.sections:
        blocks += _blocks(section)
    return "\n\n".join(block for block in blocks if block) + "\n"


def code(text: object) -> str:
    """The text as code within a line: in more backticks than it has itself."""
    line = _line(str(text))
    if "`" not in line:
        return f"`{line}`" if line else ""
    return f"`` {line} ``"


def _blocks(section: Section) -> Iterator[str]:
    yield f"{'#' * section.level} {_line(section.title)}"
    yield section.text.strip()
    yield "\n".join(f"- {_line(item)}" for item in section.items)
    if section.table and section.table.rows:
        yield "\n".join(_rows(section.table))
    if section.code:
        yield f"```{section.language}\n{section.code.rstrip()}\n```"


def _rows(table: Table) -> Iterator[str]:
    shown = table.filled()
    yield _row(shown.head)
    yield _row(("---",) * len(shown.head))
    yield from (_row(row) for row in shown.rows)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_line(cell).replace("|", "\\|") for cell in cells) + " |"


def _line(text: str) -> str:
    return " ".join(text.split())
