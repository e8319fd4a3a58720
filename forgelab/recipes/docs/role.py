"""The README of a role: what it is for, its variables, and a playbook that uses it alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from forgelab.recipes.colocation import never_conflicts
from forgelab.recipes.docs.page import Page, Section, Table, code
from forgelab.recipes.roles.colocation import ColocationRules
from forgelab.recipes.roles.runtime import RoleRuntime, role_runtime
from forgelab.recipes.roles.spec import RoleOption, RoleSpec, dump

ABOUT_VARIABLES = (
    "All have a default, in `defaults/main.yml`; types and choices are checked before anything is changed."
)


def role_page(role: RoleSpec, about: str = "") -> Page:
    """`about` is said of a role that does not describe itself in its argument specs."""
    rows = [row for option in role.options.values() for row in _rows(option, option.name)]
    table = Table(("Variable", "Type", "Default", "Choices", "Meaning"), rows)
    sections = (
        Section("Variables", text=ABOUT_VARIABLES, table=table)
        if rows
        else Section("Variables", text="This role has none."),
        Section("On the device", items=(*_on_the_device(role_runtime(role, {})), *_colocation(role))),
        Section("Example", code="\n".join(_example(role)), language="yaml"),
    )
    return Page(
        title=f"{role.title} ({code(role.name)})",
        lead=role.description or _sentence(about),
        sections=tuple(section for section in sections if section),
    )


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."


def _rows(option: RoleOption, path: str) -> Iterator[tuple[str, ...]]:
    yield (
        code(path),
        _type(option),
        _default(option),
        ", ".join(code(choice) for choice in option.choices),
        option.help,
    )
    for name, below in option.options.items():
        yield from _rows(below, f"{path}[].{name}" if option.type == "list" else f"{path}.{name}")


def _type(option: RoleOption) -> str:
    text = f"list of {option.elements}" if option.type == "list" and option.elements else option.type
    return f"{text}, secret" if option.secret else text


def _default(option: RoleOption) -> str:
    if option.required:
        return "(must be given)"
    if option.default is None:
        return ""
    return code(option.default) if _is_template(option.default) else code(dump(option.default))


def _is_template(value: object) -> bool:
    return isinstance(value, str) and "{{" in value


def _on_the_device(found: RoleRuntime) -> Iterator[str]:
    if found.services:
        yield f"Services: {', '.join(code(name) for name in found.services)}"
    if found.ports:
        yield f"Ports: {', '.join(f'{port} ({process})' for port, process in found.ports)}"


def _colocation(role: RoleSpec) -> Iterator[str]:
    """How several servers on one device have it; of a role that does not declare it, see docs/colocation.md."""
    rules, words = role.colocation, []
    if rules == ColocationRules():
        return
    if rules.exclusive:
        exempt = [code(f"{name}: {dump(value)}") for name, value in rules.exempt_if.items()]
        words.append("a device has it once" + (f", not counting {', '.join(exempt)}" if exempt else ""))
    if rules.conflicts:
        words.append(f"never beside {_codes(rules.conflicts)}")
    if rules.partition_by:
        words.append(f"each with its own {_codes(rules.partition_by)}")
    if rules.must_match:
        words.append(f"the same {_codes(rules.must_match)}")
    if rules.merged:
        words.append(f"{_codes(rules.merged)} of all are joined")
    if not (rules.exclusive or rules.partition_by):
        words.append("whatever the values" if never_conflicts(role) else "everything else must be equal")
    yield f"Several servers on one device: {'; '.join(words)}"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(code(name) for name in names)


def _example(role: RoleSpec) -> Iterator[str]:
    """A complete playbook; what must not stand in clear comes from a vault file."""
    yield from ("- name: " + f"Set up {role.title}", "  hosts: all", "  become: true")
    shown = {o.name: f'"{{{{ vault_{o.name} }}}}"' for o in role.options.values() if o.secret}
    version = role.options.get(role.variable("version"))
    if version and not _is_template(version.default):
        shown = {version.name: dump(version.default), **shown}
    if shown:
        yield "  vars:"
        yield from (f"    {name}: {value}" for name, value in shown.items())
    yield from ("  roles:", f"    - role: forgelab.homelab.{role.name}")
