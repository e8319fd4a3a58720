"""What Ansible itself needs of `meta/forgelab.yml`, written into the files of the role.

Only values are replaced, and only those that differ, so comments and layout stay as somebody wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from forgelab.recipes.roles.listening import Port
from forgelab.recipes.roles.spec import DEFAULTS, SPEC, Roles, RoleSpec, dump
from forgelab.recipes.versions.distributions import Distributions, oldest_versions

GALAXY = Path("meta/main.yml")
PREFLIGHT = "preflight_distributions"


def role_files(folder: Path, roles: Roles) -> dict[Path, str]:
    """The role's files that hold something declared in `meta/forgelab.yml`, below its folder, as they should be."""
    files = {GALAXY: _platforms((folder / GALAXY).read_text("utf-8"), roles.distributions)}
    if role := roles.specs.get(folder.name):
        spec = (folder / SPEC).read_text("utf-8")
        former_title = str(yaml.safe_load(spec)["argument_specs"]["main"].get("short_description", ""))
        if (folder / DEFAULTS).exists():
            text = _defaults((folder / DEFAULTS).read_text("utf-8"), role, roles.distributions)
            files[DEFAULTS] = _report_title(text, role, former_title)
        files[SPEC] = _argument_specs(spec, role, yaml.safe_load(files.get(DEFAULTS, "")) or {})
    return files


def _defaults(text: str, role: RoleSpec, distributions: Distributions) -> str:
    carried = role.versions.carried()
    text = _with_block(text, f"{role.name}_distribution_versions", carried)
    text = _with_block(text, PREFLIGHT, oldest_versions(distributions))
    if role.metadata.ports is not None:
        text = _with_block(text, f"{role.name}_ports", _ports(role.metadata.ports))
    return text


def _ports(ports: tuple[Port, ...]) -> object:
    """As the preflight takes them; those that depend on a variable as Jinja."""
    if not any(port.when for port in ports):
        return [{"port": _number(port), "process": port.process} for port in ports]
    return "{{ " + " + ".join(map(_conditional, ports)) + " }}"


def _number(port: Port) -> object:
    return f"{{{{ {port.number} }}}}" if isinstance(port.number, str) else port.number


def _conditional(port: Port) -> str:
    when = " and ".join(f"{name} == {value!r}" for name, value in port.when.items())
    item = f"[{{'port': {port.number}, 'process': '{port.process}'}}]"
    return f"({item} if {when} else [])" if when else item


def _with_block(text: str, key: str, value: object) -> str:
    """The text with this top-level key's value, where it has the key and another value."""
    pattern = re.compile(rf"^{re.escape(key)}:.*\n(?:[ -].*\n)*", re.MULTILINE)
    found = pattern.search(text)
    if not found or yaml.safe_load(found[0])[key] == value:
        return text
    return text[: found.start()] + _block(key, value) + text[found.end() :]


def _block(key: str, value: object) -> str:
    if isinstance(value, dict) and value:
        return f"{key}:\n" + "".join(f"  {name}: {_scalar(item)}\n" for name, item in value.items())
    if isinstance(value, list) and value:
        items = ("".join(f"    {k}: {_scalar(v)}\n" for k, v in item.items()) for item in value)
        return f"{key}:\n" + "".join(f"  - {item.lstrip()}" for item in items)
    return f"{key}: {_scalar(value)}\n"


def _scalar(value: object) -> str:
    """Text in double quotes where YAML would read something else."""
    if not isinstance(value, str):
        return dump(value)
    plain = yaml.safe_load(value) == value if re.fullmatch(r"[A-Za-z][\w .-]*", value) else False
    return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _report_title(text: str, role: RoleSpec, former: str) -> str:
    """Where the report has another title of its own (Cron of the scheduler), it keeps it."""
    pattern = rf"^({role.name}_report:\n(?:  .*\n)*?  title: ){re.escape(former)}$"
    return re.sub(pattern, lambda match: match[1] + role.title, text, flags=re.MULTILINE)


def _argument_specs(text: str, role: RoleSpec, defaults: Mapping[str, object]) -> str:
    text = re.sub(r"(?m)^(    short_description: ).*$", lambda match: match[1] + role.title, text, count=1)
    for name, option in yaml.safe_load(text)["argument_specs"]["main"].get("options", {}).items():
        if name in defaults and option.get("default") != defaults[name]:
            text = _with_key(text, name, "default", defaults[name])
    if choices := list(role.versions.choices):
        text = _with_key(text, role.variable("version"), "choices", choices)
    return text


def _with_key(text: str, option: str, key: str, value: object) -> str:
    """The text with this key of an option, written on one line."""
    pattern = rf"^(      {option}:\n(?:        .*\n)*?        {key}: ).*\n(?:          .*\n)*"
    shown = f"[{', '.join(map(_scalar, value))}]" if isinstance(value, list) else _scalar(value)
    return re.sub(pattern, lambda match: f"{match[1]}{shown}\n", text, count=1, flags=re.MULTILINE)


def _platforms(text: str, distributions: Distributions) -> str:
    """The releases that Galaxy shows; it knows no distribution that has another one's releases."""
    named: dict[str, list[str]] = {}
    for each in distributions.values():
        if list(each.releases) not in named.values():
            named[each.title] = list(each.releases)
    block = "  platforms:\n" + "".join(
        f"    - name: {title}\n      versions: [{', '.join(releases)}]\n" for title, releases in named.items()
    )
    return re.sub(r"^  platforms:\n(?:    .*\n)*", block, text, flags=re.MULTILINE) if named else text
