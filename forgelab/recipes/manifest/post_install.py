"""`secrets` and `post_install` of a manifest."""

from __future__ import annotations

from collections.abc import Callable

from forgelab.lib.problems import not_one_of
from forgelab.lib.reader import LONG, Reader, text_at
from forgelab.recipes.conditions import ALWAYS, Condition
from forgelab.recipes.manifest.options import NAME, NAME_MEANS
from forgelab.recipes.manifest.scope import Scope
from forgelab.recipes.model import (
    Command,
    Conditional,
    CredentialField,
    Credentials,
    Message,
    PostInstall,
    Secret,
    SupervisorConfig,
)
from forgelab.recipes.placeholders import unquotable

LIMIT = 50
SECRET_LENGTHS = (16, 128)
SECRET_LENGTH = 32


def read_secrets(top: Reader) -> dict[str, tuple[Secret, str]]:
    """Every secret by name, with its path."""
    found: dict[str, tuple[Secret, str]] = {}
    for path, item in top.items("secrets", LIMIT):
        reader = Reader(item, path, top.problems, ("name", "label", "length"))
        if not isinstance(item, dict):
            continue
        name = reader.text("name", None, pattern=NAME, means=NAME_MEANS)
        if name in found:
            reader.wrong("name", f'"{name}" stands twice')
        label = reader.text("label", "") or name.replace("_", " ").capitalize()
        length = reader.integer("length", SECRET_LENGTH, *SECRET_LENGTHS) or SECRET_LENGTH
        found[name] = (Secret(name, label, length), reader.at("name"))
    found.pop("", None)
    return found


def read_post_install(top: Reader, scope: Scope) -> tuple[PostInstall, ...]:
    """The steps after the components, in order."""
    items = (_read(Reader(item, path, top.problems), scope) for path, item in top.items("post_install", LIMIT))
    return tuple(item for item in items if item)


def _read(reader: Reader, scope: Scope) -> PostInstall | None:
    kind = reader.text("type", None) if reader.data else ""
    if kind not in READERS:
        if kind:
            reader.wrong("type", not_one_of(kind, READERS))
        return None
    keys, read = READERS[kind]
    Reader(reader.data, reader.path, reader.problems, ("type", "title", "when", *keys))
    return read(reader, scope)


def _command(reader: Reader, scope: Scope) -> PostInstall:
    command, creates = _text(reader, scope, "command"), reader.text("creates", "", limit=1000)
    scope.placeholders(creates, reader.at("creates"))
    if fault := unquotable(command):
        reader.wrong("command", fault)
    if creates and not creates.startswith("/"):
        reader.wrong("creates", "must be an absolute path")
    title = _title(reader, scope, f"Run {command.split()[0]}" if command.split() else "Run a command")
    return Command(title, command, creates, _when(reader, scope))


def _supervisor_config(reader: Reader, scope: Scope) -> PostInstall:
    config = _text(reader, scope, "config")
    return SupervisorConfig(_title(reader, scope, "Configure Supervisor"), config, _when(reader, scope))


def _message(reader: Reader, scope: Scope) -> PostInstall:
    details = tuple(_line(path, item, scope) for path, item in reader.items("details", LIMIT))
    return Message(_title(reader, scope, "Ready"), _text(reader, scope, "message"), details, _when(reader, scope))


def _line(path: str, item: object, scope: Scope) -> Conditional:
    if not isinstance(item, dict):
        text = text_at(item, path, scope.problems)
        scope.placeholders(text, path)
        return Conditional(text, ALWAYS)
    reader = Reader(item, path, scope.problems, ("value", "when"))
    return Conditional(_text(reader, scope, "value"), _when(reader, scope))


def _credentials(reader: Reader, scope: Scope) -> PostInstall:
    fields = []
    for path, item in reader.items("fields", LIMIT, required=True):
        field = Reader(item, path, reader.problems, ("label", "value"))
        if isinstance(item, dict):
            value = field.text("value", None)
            scope.placeholders(value, field.at("value"), secrets=True)
            fields.append(CredentialField(field.text("label", None), value))
    return Credentials(_title(reader, scope, "Credentials"), tuple(fields), _when(reader, scope))


READERS: dict[str, tuple[tuple[str, ...], Callable[[Reader, Scope], PostInstall]]] = {
    "command": (("command", "creates"), _command),
    "message": (("message", "details"), _message),
    "credentials": (("fields",), _credentials),
    "supervisor_config": (("config",), _supervisor_config),
}


def _text(reader: Reader, scope: Scope, key: str) -> str:
    text = reader.text(key, None, limit=LONG)
    scope.placeholders(text, reader.at(key))
    return text


def _title(reader: Reader, scope: Scope, default: str) -> str:
    title = reader.text("title", "") or default
    scope.placeholders(title, reader.at("title"))
    return title


def _when(reader: Reader, scope: Scope) -> Condition:
    return scope.condition(reader.data.get("when"), reader.at("when"))
