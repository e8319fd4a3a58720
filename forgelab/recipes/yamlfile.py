"""Reads YAML that anybody may have written: no duplicate keys, no aliases, no surprises, a line for every mistake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import yaml

from forgelab.recipes.problems import Problem, RecipeError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and the line (from 1) on which each path begins."""

    data: object
    lines: dict[str, int]


class _Refused(Exception):
    def __init__(self, message: str, mark: yaml.Mark | None) -> None:
        self.problem = Problem("", message, mark.line + 1 if mark else None)


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses aliases: nothing in a manifest needs them, and they make small files enormous."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise _Refused("anchors and aliases (& and *) are not accepted; write the value again", self._here())
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Refused(f"is nested deeper than {MAX_DEPTH} levels", self._here())
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def _here(self) -> yaml.Mark | None:
        mark: yaml.Mark | None = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        return mark


def parse(text: str | bytes) -> Document:
    """The document in `text` (UTF-8). Raises RecipeError, with the line where there is one, and nothing else."""
    try:
        return _parse(_decoded(text))
    except _Refused as refused:
        raise RecipeError([refused.problem]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise RecipeError([Problem("", f"is not valid YAML: {error.problem or error.context}", line)]) from None
    except yaml.YAMLError as error:
        raise RecipeError([Problem("", f"is not valid YAML: {error}".splitlines()[0])]) from None
    except RecursionError:
        raise RecipeError([Problem("", "is nested too deeply")]) from None


def _decoded(text: str | bytes) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise _Refused(f"is {size} bytes; a manifest may have {MAX_BYTES}", None)
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Refused(f"is not UTF-8 text (byte {error.start})", None) from None


def _parse(text: str) -> Document:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[str, int] = {}
        return Document(_plain(loader, node, "", lines) if node else None, lines)
    finally:
        loader.dispose()


def _plain(loader: _Loader, node: yaml.Node, path: str, lines: dict[str, int]) -> object:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, f"{path}[{number}]", lines) for number, item in enumerate(node.value)]
    return _scalar(loader, node, path)


def _mapping(loader: _Loader, node: yaml.MappingNode, path: str, lines: dict[str, int]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = _plain(loader, key_node, path, lines)
        if not isinstance(key, str):
            raise _Refused(f"a key must be text, not {key!r}", key_node.start_mark)
        if key in found:
            raise _Refused(f'the key "{key}" stands twice; keep one', key_node.start_mark)
        below = f"{path}.{key}" if path else key
        found[key] = _plain(loader, value_node, below, lines)
        lines[below] = key_node.start_mark.line + 1
    return found


def _scalar(loader: _Loader, node: yaml.Node, path: str) -> object:
    try:
        value: object = loader.construct_object(node)
    except (ValueError, OverflowError) as error:
        raise _Refused(f"{path or 'the value'} cannot be read: {error}", node.start_mark) from None
    if isinstance(value, (bytes, date)) or not isinstance(value, (str, int, float, bool, type(None))):
        raise _Refused(f"{path or 'the value'} is not text; write it in quotes", node.start_mark)
    return value
