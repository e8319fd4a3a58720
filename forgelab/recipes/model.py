"""A recipe as everything else sees it: frozen, already checked, free of files and frameworks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from forgelab.recipes import options
from forgelab.recipes.conditions import ALWAYS, Condition
from forgelab.recipes.options import Option
from forgelab.recipes.roles.spec import RoleSpec


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is needed at least, and how much is good to have, in the unit its owner names.

    The values of the options named in `plus` come on top of the minimum.
    """

    minimum: int
    recommended: int
    plus: tuple[str, ...] = ()

    def with_options(self, config: Mapping[str, object]) -> Amount:
        """What is needed with this config; what is good to have is never less."""
        more = sum(value for name in self.plus if isinstance(value := config.get(name), int))
        return Amount(self.minimum + more, max(self.recommended, self.minimum + more))


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a device must have: memory and storage in MB (1 GB = 1024 MB), processor cores.

    `distributions` maps ids (`debian`) to their oldest version; without it, what ForgeLab's roles support. No
    `architectures` means any.
    """

    memory_mb: Amount
    storage_mb: Amount
    cores: Amount
    distributions: Mapping[str, str] = field(default_factory=dict)
    architectures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conditional:
    """An item of a component's list that is there only while its condition holds."""

    value: object
    when: Condition


@dataclass(frozen=True, slots=True)
class Component:
    """A role of the recipe and the values the manifest gives it, by the role's variables (`php_extensions`)."""

    role: RoleSpec
    version: str = ""
    variables: Mapping[str, object] | None = None
    when: Condition = ALWAYS

    @property
    def name(self) -> str:
        return self.role.name

    @property
    def parts(self) -> tuple[str, ...]:
        """What it consists of, such as PHP's extensions: what the manifest gives, else the role's default."""
        lists = [(self.variables or {}).get(name, self.role.options[name].default) for name in self.role.metadata.parts]
        return tuple(str(item) for each in lists if isinstance(each, list) for item in each if isinstance(item, str))


@dataclass(frozen=True, slots=True)
class Secret:
    """Something generated once per server and kept encrypted, such as a database password."""

    name: str
    label: str
    length: int


@dataclass(frozen=True, slots=True)
class Command:
    """A shell command run on the device after the components; not run again where `creates` exists."""

    title: str
    command: str
    creates: str = ""
    when: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class SupervisorConfig:
    """A program for Supervisor, in its own format."""

    title: str
    config: str
    when: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Message:
    """What to show the user at the end; `details` are lines added to it where their conditions hold."""

    title: str
    message: str
    details: tuple[Conditional, ...] = ()
    when: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class CredentialField:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """Labelled values for the success page; the only place besides components where a secret may stand."""

    title: str
    fields: tuple[CredentialField, ...]
    when: Condition = ALWAYS


PostInstall = Command | SupervisorConfig | Message | Credentials


@dataclass(frozen=True, slots=True)
class Published:
    """What servers of this type publish to those that name them: the first of `values` whose condition holds."""

    name: str
    values: tuple[Conditional, ...]


@dataclass(frozen=True, slots=True)
class LinkRead:
    """A placeholder that reads what the server named by `option` publishes as `name`; `path` is where it stands."""

    option: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A server type. `source` is the manifest it was read from, `own_roles` the files of roles that it brings along.

    Where types are listed, those with a lower `position` come first.
    """

    id: str
    name: str
    tagline: str
    description: str
    category: str
    server_type: str
    icon: str
    requirements: Requirements
    components: tuple[Component, ...]
    options: tuple[Option, ...]
    secrets: tuple[Secret, ...] = ()
    post_install: tuple[PostInstall, ...] = ()
    source: str = ""
    publishes: tuple[Published, ...] = ()
    reads: tuple[LinkRead, ...] = ()
    own_roles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    position: int = 0

    def clean(self, values: Mapping[str, object]) -> dict[str, object]:
        """The complete config for these values. Raises ConfigInvalid naming every wrong field."""
        return options.clean(self.options, values)

    def clean_text(self, values: Mapping[str, str]) -> dict[str, object]:
        """The complete config for values given as text. Raises ConfigInvalid naming every wrong field."""
        return options.clean_text(self.options, values)

    def selected(self, config: Mapping[str, object]) -> Iterator[Component]:
        """The components that this config brings in, in the manifest's order."""
        return (component for component in self.components if component.when.holds(config))

    def needs(self, config: Mapping[str, object]) -> Requirements:
        """The requirements with this config. Options that are not asked for do not count."""
        complete = {option.name: option.initial for option in self.options} | dict(config)
        unasked = {option.name for option in options.hidden(self.options, complete)}
        asked = {name: value for name, value in complete.items() if name not in unasked}
        needs = self.requirements
        return replace(
            needs, memory_mb=needs.memory_mb.with_options(asked), storage_mb=needs.storage_mb.with_options(asked)
        )

    def option(self, name: str) -> Option:
        """Raises KeyError for an unknown name."""
        return next((option for option in self.options if option.name == name), None) or _no_option(name)

    def version_of(self, component: Component, config: Mapping[str, object]) -> str:
        """The version that this config installs: chosen, else the manifest's, else the role's default, else ""."""
        variable = component.role.variable("version")
        return str(config.get(variable) or component.version or component.role.default_version)


def _no_option(name: str) -> Option:
    raise KeyError(name)
