"""The page of a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from forgelab.recipes.conditions import Condition
from forgelab.recipes.docs.page import Page, Section, Table, code
from forgelab.recipes.labels import grouped
from forgelab.recipes.model import Amount, Command, Component, Credentials, Recipe, Requirements, SupervisorConfig
from forgelab.recipes.options import Option
from forgelab.recipes.placeholders import as_text
from forgelab.recipes.roles.runtime import role_runtime

TYPES = {
    "select": "choice",
    "boolean": "yes or no",
    "integer": "number",
    "string": "text",
    "networks": "networks",
    "server": "server",
    "servers": "servers",
}


def recipe_page(recipe: Recipe, roles_link: str = "../../roles/{}/README.md") -> Page:
    """`roles_link` is where a role's own page is, "" for none."""
    sections = [
        Section("Provision it", code=f"forgelab server provision {recipe.id} --name NAME", language="sh"),
        Section("What it sets up", table=_components(recipe, roles_link)),
        Section("Requirements", table=_requirements(recipe)),
        Section("Options", text=_about_options(recipe)),
        *_options(recipe),
        Section("Ports", text="What listens on the device once it is ready.", table=_ports(recipe)),
        Section("Credentials", text=_about_secrets(recipe), table=_credentials(recipe)),
        Section(
            "For other servers",
            text="What servers that are linked with this one learn of it.",
            table=Table(("Name",), [(code(published.name),) for published in recipe.publishes]),
        ),
        Section("Finishing touches", items=tuple(_commands(recipe))),
    ]
    return Page(
        title=recipe.name,
        lead="\n\n".join(text for text in (recipe.tagline, recipe.description) if text),
        sections=tuple(section for section in sections if section and _has_rows(section)),
    )


def _has_rows(section: Section) -> bool:
    """A sentence about a table says nothing without it."""
    return section.table is None or bool(section.table.rows)


def _when(condition: Condition) -> str:
    terms = [f"{code(name)} is {' or '.join(_value(value) for value in allowed)}" for name, allowed in condition.terms]
    return " and ".join(terms)


def _value(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else code(value)


def _components(recipe: Recipe, roles_link: str) -> Table:
    rows: list[tuple[str, ...]] = []
    for component in recipe.components:
        role = component.role
        linked = roles_link and role.name not in recipe.own_roles
        name = f"[{code(role.name)}]({roles_link.format(role.name)})" if linked else code(role.name)
        rows.append((role.title, name, _version(recipe, component), _when(component.when), ", ".join(component.parts)))
    return Table(("Component", "Role", "Version", "Only if", "With"), rows)


def _version(recipe: Recipe, component: Component) -> str:
    variable = component.role.variable("version")
    if any(option.name == variable for option in recipe.options):
        return f"as {code(variable)} says"
    version = recipe.version_of(component, {})
    return version if version not in ("", "latest") else "the distribution's"


def _requirements(recipe: Recipe) -> Table:
    needs = recipe.requirements
    return Table(
        ("", "At least", "Recommended"),
        [
            ("Memory", *_sizes(needs.memory_mb)),
            ("Storage", *_sizes(needs.storage_mb)),
            ("Processor cores", str(needs.cores.minimum), str(needs.cores.recommended)),
            *_systems(needs),
        ],
    )


def _systems(needs: Requirements) -> Iterator[tuple[str, ...]]:
    if needs.distributions:
        yield "Distribution", " or ".join(f"{code(name)} {oldest}" for name, oldest in needs.distributions.items()), ""
    if needs.architectures:
        yield "Architecture", " or ".join(code(name) for name in needs.architectures), ""


def _sizes(amount: Amount) -> tuple[str, str]:
    plus = "".join(f" + {code(name)}" for name in amount.plus)
    return f"{_size(amount.minimum)}{plus}", _size(amount.recommended)


def _size(megabytes: int) -> str:
    return f"{megabytes // 1024} GB" if megabytes % 1024 == 0 else f"{megabytes} MB"


def _about_options(recipe: Recipe) -> str:
    return "Given as `--set OPTION=VALUE`, in `config` of the API, or in the form." if recipe.options else ""


def _options(recipe: Recipe) -> Iterator[Section]:
    for title, options in grouped(recipe.options).items():
        table = Table(
            ("Option", "Label", "Type", "Default", "Allowed", "Asked only if", "Help"),
            [_option(option) for option in options],
        )
        yield Section(title or "General", table=table, level=3)


def _option(option: Option) -> tuple[str, ...]:
    return (
        code(option.name),
        option.label,
        TYPES.get(option.kind, option.kind),
        _default(option),
        _allowed(option),
        _when(option.visible_if),
        option.help,
    )


def _default(option: Option) -> str:
    if option.default is None:
        return "(must be given)"
    return code(as_text(option.default)) or "(empty)"


def _allowed(option: Option) -> str:
    if option.kind == "select":
        return ", ".join(f"{code(choice.value)}{_known_end(option, choice.value)}" for choice in option.choices)
    if option.kind == "integer":
        low, high = option.minimum, option.maximum
        if low is not None and high is not None:
            return f"{low} to {high}"
        return f"at least {low}" if low is not None else f"at most {high}" if high is not None else ""
    return code(option.pattern) if option.pattern else ""


def _known_end(option: Option, version: str) -> str:
    known = option.versions.known.get(version) if option.versions else None
    end = known.supported_until if known else None
    return f" (supported until {end})" if end else ""


def _ports(recipe: Recipe) -> Table:
    rows: list[tuple[str, ...]] = []
    for component in recipe.components:
        found = role_runtime(component.role, component.variables or {})
        when = _when(component.when)
        rows += [(port, process, component.role.title, when) for port, process in found.ports]
        if "ports" in found.computed and not found.ports:
            rows.append(("as its options say", "", component.role.title, when))
    return Table(("Port", "Process", "Of", "Only if"), rows)


def _about_secrets(recipe: Recipe) -> str:
    if not recipe.secrets:
        return ""
    names = ", ".join(secret.label for secret in recipe.secrets)
    return f"Made once for each server and kept encrypted: {names}. Shown with the server once it is ready."


def _credentials(recipe: Recipe) -> Table | None:
    blocks = [item for item in recipe.post_install if isinstance(item, Credentials)]
    rows: list[tuple[str, ...]] = [
        (block.title, ", ".join(field.label for field in block.fields), _when(block.when)) for block in blocks
    ]
    return Table(("Block", "Fields", "Only if"), rows) if rows else None


def _commands(recipe: Recipe) -> Iterator[str]:
    for item in recipe.post_install:
        when = f", if {_when(item.when)}" if item.when.terms else ""
        if isinstance(item, Command):
            once = f", unless {code(item.creates)} exists" if item.creates else ""
            yield f"{item.title}: {code(item.command)}{once}{when}"
        elif isinstance(item, SupervisorConfig):
            yield f"{item.title} (a program of Supervisor){when}"
