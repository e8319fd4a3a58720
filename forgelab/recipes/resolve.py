"""A recipe with its choices made: which roles run, with which variables, and what is shown at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from forgelab.lib.problems import listing
from forgelab.recipes import context as names
from forgelab.recipes.model import (
    Command,
    Component,
    Conditional,
    CredentialField,
    Credentials,
    Message,
    PostInstall,
    Recipe,
    Requirements,
    SupervisorConfig,
)
from forgelab.recipes.placeholders import as_text, fill, fill_all, fill_command, names_in
from forgelab.recipes.roles.spec import RoleOption


@dataclass(frozen=True, slots=True)
class Linked:
    """What is known of the servers that an option names, by what follows the option's name in a placeholder.

    `{"address": "10.1.2.3", "port": "5432"}` for one server, `{"addresses": [...]}` for several. `secrets` are the
    names among them whose values must not be seen.
    """

    values: Mapping[str, object]
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ResolvedComponent:
    """A role to run. `secret_variables` belong into a vault file and nowhere else; no name is in both mappings."""

    name: str
    role: str
    title: str
    version: str
    variables: dict[str, object]
    secret_variables: dict[str, object]


@dataclass(frozen=True, slots=True)
class ResolvedCredentials:
    """Labels and values for the success page; `secret_fields` are the labels to hide. The values are in clear."""

    title: str
    fields: tuple[CredentialField, ...]
    secret_fields: frozenset[str]


ResolvedPostInstall = Command | SupervisorConfig | Message | ResolvedCredentials


@dataclass(frozen=True, slots=True)
class ResolvedRecipe:
    """Everything a plan needs. `values` are the placeholders that are no secrets, by name."""

    recipe_id: str
    components: tuple[ResolvedComponent, ...]
    post_install: tuple[ResolvedPostInstall, ...]
    requirements: Requirements
    values: dict[str, str]

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(item for item in self.post_install if isinstance(item, Message))

    @property
    def credentials(self) -> tuple[ResolvedCredentials, ...]:
        return tuple(item for item in self.post_install if isinstance(item, ResolvedCredentials))


def resolve(
    recipe: Recipe,
    config: Mapping[str, object],
    context: Mapping[str, str],
    secrets: Mapping[str, str],
    links: Mapping[str, Linked] = MappingProxyType({}),
) -> ResolvedRecipe:
    """The recipe with this config (as `recipe.clean` gives it), context and secrets (by the manifest's names).

    Values are put in as they are, once: a placeholder inside a value stays those characters. An option named like a
    context value (`domain`) takes its place unless it is empty. `links` has, by option, the values of the servers that
    the config names; what they do not publish is empty. Raises ConfigInvalid for a config that is not clean, ValueError
    for a secret or context value that is missing.
    """
    config = recipe.clean(config)
    work = _Resolver(recipe, config, context, secrets, links)
    return ResolvedRecipe(
        recipe_id=recipe.id,
        components=tuple(work.component(component) for component in recipe.selected(config)),
        post_install=tuple(work.post_install(item) for item in recipe.post_install if item.when.holds(config)),
        requirements=recipe.needs(config),
        values=work.open,
    )


def resolve_component(
    recipe: Recipe,
    name: str,
    config: Mapping[str, object],
    context: Mapping[str, str],
    secrets: Mapping[str, str],
    links: Mapping[str, Linked] = MappingProxyType({}),
) -> ResolvedComponent | None:
    """One component, also where this config does not bring it in; None where the recipe has none of that name.

    Raises as `resolve` does.
    """
    config = recipe.clean(config)
    found = next((component for component in recipe.components if component.name == name), None)
    return _Resolver(recipe, config, context, secrets, links).component(found) if found else None


def publish(
    recipe: Recipe, config: Mapping[str, object], context: Mapping[str, str], secrets: Mapping[str, str]
) -> Linked:
    """What a server of this recipe publishes to those that name it, except its address. Raises as `resolve` does."""
    config = recipe.clean(config)
    work = _Resolver(recipe, config, context, secrets, {})
    chosen = {
        one.name: next((each.value for each in one.values if each.when.holds(config)), "") for one in recipe.publishes
    }
    secret = frozenset(name for name, template in chosen.items() if work.has_secret(template))
    return Linked({name: work.filled(template) for name, template in chosen.items()}, secret)


def _require(what: str, needed: Iterable[str], given: Mapping[str, str]) -> None:
    missing = [name for name in needed if name not in given]
    if missing:
        raise ValueError(f"{what} lacks {listing(missing)}")


class _Values(dict[str, str]):
    """The placeholders' values; what a linked server does not publish, or no server publishes, is empty."""

    prefixes: tuple[str, ...] = ()

    def __missing__(self, name: str) -> str:
        if self.prefixes and name.startswith(self.prefixes):
            return ""
        raise KeyError(name)


class _Resolver:
    def __init__(
        self,
        recipe: Recipe,
        config: Mapping[str, object],
        context: Mapping[str, str],
        secrets: Mapping[str, str],
        links: Mapping[str, Linked],
    ) -> None:
        _require("secrets", [secret.name for secret in recipe.secrets], secrets)
        _require("context", names.NAMES, context)
        self.recipe, self.config = recipe, config
        linked, hidden = _linked(recipe, links)
        own = {secret.name.upper(): secrets[secret.name] for secret in recipe.secrets}
        self.secrets = own | {name: as_text(linked[name]) for name in hidden}
        versions = {f"{c.name}_version".upper(): recipe.version_of(c, config) for c in recipe.components}
        chosen = {name.upper(): as_text(value) for name, value in config.items()}
        overrides = {name: value for name, value in chosen.items() if value or name not in names.OVERRIDABLE}
        published = {name: as_text(value) for name, value in linked.items() if name not in hidden}
        self.open = _Values(published | versions | dict(context) | overrides)
        self.all = _Values(self.open | self.secrets)
        self.open.prefixes = self.all.prefixes = tuple(
            f"{option.name.upper()}_" for option in recipe.options if option.kind == "server"
        )
        values = linked | {name.upper(): value for name, value in config.items()}
        self.typed = {name: value for name, value in values.items() if not isinstance(value, str)}

    def filled(self, template: object) -> object:
        return fill_all(template, self.all, self.typed)

    def has_secret(self, template: object) -> bool:
        return any(name in self.secrets for name in names_in(template))

    def component(self, component: Component) -> ResolvedComponent:
        role = component.role
        variables: dict[str, object] = {}
        secret: dict[str, object] = {}
        for name, template in (component.variables or {}).items():
            template = self._selected_items(template)
            target = secret if role.options[name].secret or self.has_secret(template) else variables
            target[name] = self._as_the_role_wants(role.options[name], self.filled(template))
        for option in self.recipe.options:
            if option.role == role.name:
                (secret if role.options[option.name].secret else variables)[option.name] = self.config[option.name]
        version = self.recipe.version_of(component, self.config)
        if component.version and role.variable("version") in role.options:
            variables.setdefault(role.variable("version"), version)
        return ResolvedComponent(component.name, role.name, role.title, version, variables, secret)

    def post_install(self, item: PostInstall) -> ResolvedPostInstall:
        title = fill(item.title, self.open)
        if isinstance(item, Command):
            return Command(title, fill_command(item.command, self.open), fill(item.creates, self.open))
        if isinstance(item, SupervisorConfig):
            # Supervisor expands %(name)s everywhere; a doubled percent sign is a literal one.
            return SupervisorConfig(title, fill(item.config, self.open, lambda value: value.replace("%", "%%")))
        if isinstance(item, Credentials):
            return self._credentials(title, item)
        details = [str(line.value) for line in item.details if line.when.holds(self.config)]
        return Message(title, fill("\n".join([item.message.rstrip("\n"), *details]) + "\n", self.open))

    def _credentials(self, title: str, item: Credentials) -> ResolvedCredentials:
        fields = tuple(CredentialField(field.label, fill(field.value, self.all)) for field in item.fields)
        secret = frozenset(field.label for field in item.fields if self.has_secret(field.value))
        return ResolvedCredentials(title, fields, secret)

    def _as_the_role_wants(self, option: RoleOption, value: object) -> object:
        """A port that another server publishes is text, and may be a number to the role."""
        return int(value) if option.type == "int" and isinstance(value, str) and value.isdecimal() else value

    def _selected_items(self, template: object) -> object:
        if not isinstance(template, list):
            return template
        kept = [item for item in template if not isinstance(item, Conditional) or item.when.holds(self.config)]
        return [item.value if isinstance(item, Conditional) else item for item in kept]


def _linked(recipe: Recipe, links: Mapping[str, Linked]) -> tuple[dict[str, object], set[str]]:
    """Every placeholder that the links fill, and the names of those that are secrets."""
    values: dict[str, object] = {
        f"{option.name.upper()}_ADDRESSES": [] for option in recipe.options if option.kind == "servers"
    }
    hidden: set[str] = set()
    own = {option.name for option in recipe.options} | {secret.name for secret in recipe.secrets}
    for option, link in links.items():
        qualified = {f"{option}_{name}": name for name in link.values if f"{option}_{name}" not in own}
        values |= {full.upper(): link.values[name] for full, name in qualified.items()}
        hidden |= {full.upper() for full, name in qualified.items() if name in link.secrets}
    return values, hidden
