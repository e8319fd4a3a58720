"""YAML for Ansible: data that must never be templated is marked `!unsafe`, ForgeLab's own expressions are not."""

from __future__ import annotations

from typing import Any

import yaml


class Expression(str):
    """Jinja that ForgeLab wrote itself and wants evaluated."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, as ansible-lint and people expect."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


LINE_ENDS = "\x85\u2028\u2029"  # YAML 1.1 folds them like newlines, unless they are escaped in double quotes


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # Ansible templates every variable again. Anything with a brace could be a template, so it is marked as data.
    if "{" in text:
        return dumper.represent_scalar("!unsafe", text, style='"')
    if any(character in text for character in LINE_ENDS):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
    return dumper.represent_str(text)


def _expression(dumper: yaml.SafeDumper, text: Expression) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')


_Dumper.add_representer(str, _string)
_Dumper.add_representer(Expression, _expression)


def dump(data: Any, comment: str = "") -> str:
    """`data` as a YAML document; `comment` is put above it, line by line."""
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    body = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10_000)
    return f"{head}---\n{body}"
