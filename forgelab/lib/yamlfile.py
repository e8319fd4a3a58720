"""Reads YAML that anybody may have written: no duplicate keys, no aliases, no surprises, a line for every mistake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import yaml
from yaml.composer import Composer

from forgelab.lib.problems import DocumentError, Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
TEXT = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and the line (from 1) on which each path begins."""

    data: object
    lines: dict[str, int]


class _Refused(Exception):
    def __init__(self, message: str, line: int | None) -> None:
        self.problem = Problem("", message, line)


def _line(begins: yaml.Node | yaml.Event | None) -> int | None:
    """The line (from 1) on which it begins."""
    mark = begins.start_mark if begins else None
    return mark.line + 1 if mark else None


class _Loader(Composer, yaml.CSafeLoader):
    """SafeLoader that refuses aliases: nothing that ForgeLab reads needs them, and they make small files enormous.

    libyaml reads, seven times as fast as Python would; PyYAML's own composer comes first, so that it can be asked here.
    """

    depth = 0

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise _Refused(
                "anchors and aliases (& and *) are not accepted; write the value again", _line(self.peek_event())
            )
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Refused(f"is nested deeper than {MAX_DEPTH} levels", _line(self.peek_event()))
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def parse(text: str | bytes) -> Document:
    """The document in `text` (UTF-8). Raises DocumentError, with the line where there is one, and nothing else."""
    try:
        return _parse(_decoded(text))
    except _Refused as refused:
        raise DocumentError([refused.problem]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise DocumentError([Problem("", f"is not valid YAML: {error.problem or error.context}", line)]) from None
    except yaml.YAMLError as error:
        raise DocumentError([Problem("", f"is not valid YAML: {error}".splitlines()[0])]) from None
    except RecursionError:
        raise DocumentError([Problem("", "is nested too deeply")]) from None


def _decoded(text: str | bytes) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise _Refused(f"is {size} bytes; {MAX_BYTES} are allowed", None)
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
    lines[path] = _line(node) or 0
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
            raise _Refused(f"a key must be text, not {key!r}", _line(key_node))
        if key in found:
            raise _Refused(f'the key "{key}" stands twice; keep one', _line(key_node))
        below = f"{path}.{key}" if path else key
        found[key] = _plain(loader, value_node, below, lines)
        lines[below] = _line(key_node) or 0
    return found


def _scalar(loader: _Loader, node: yaml.Node, path: str) -> object:
    if node.tag == TEXT:
        return str(node.value)
    try:
        value: object = loader.construct_object(node)
    except (ValueError, OverflowError) as error:
        raise _Refused(f"{path or 'the value'} cannot be read: {error}", _line(node)) from None
    if isinstance(value, (bytes, date)) or not isinstance(value, (str, int, float, bool, type(None))):
        raise _Refused(f"{path or 'the value'} is not text; write it in quotes", _line(node))
    return value
