"""What a manifest's conditions and placeholders may name, and which of it they did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from forgelab.recipes import context
from forgelab.recipes.conditions import ALWAYS, Condition
from forgelab.recipes.options import Option
from forgelab.recipes.placeholders import names_in
from forgelab.recipes.problems import Problems, did_you_mean, listing, not_one_of
from forgelab.recipes.reader import kind_of


class Scope:
    """The options, secrets and context values of one manifest while it is read."""

    def __init__(
        self, problems: Problems, options: Mapping[str, Option | None], secrets: Iterable[str], versions: Iterable[str]
    ) -> None:
        """`options` maps every name to its option, or to None where the option itself is wrong."""
        self.problems, self.options = problems, options
        self.secrets = {name.upper(): name for name in secrets}
        self.open = {name: "" for name in (*context.NAMES, *versions)} | {name.upper(): name for name in options}
        self.used: set[str] = set()

    def placeholders(self, value: object, path: str, secrets: bool = False) -> None:
        """Reports unknown placeholders in `value`, and secrets where they would not stay secret."""
        for name in names_in(value):
            if name in self.secrets:
                self.used.add(self.secrets[name])
                if not secrets:
                    self.problems.add(
                        path, f"must not use the secret ${{{name}}}; it would be shown or stored in clear"
                    )
            elif name in self.open:
                self.used.add(self.open[name])
            else:
                known = [*self.open, *(self.secrets if secrets else ())]
                hint = did_you_mean(name, known) or f"; there are {listing(known)}"
                self.problems.add(path, f"${{{name[:60]}}} is not a known placeholder{hint}")

    def condition(self, data: object, path: str) -> Condition:
        """A `when`: an option's name (`include_redis`), or a mapping of options to their value or values."""
        if data is None:
            return ALWAYS
        if isinstance(data, str):
            data = {data: True}
        if not isinstance(data, dict) or not data:
            self.problems.add(path, f"must be an option's name or a mapping of options to values, not {kind_of(data)}")
            return ALWAYS
        return Condition(tuple((name, self._values(name, wanted, path)) for name, wanted in data.items()))

    def implied(self, component: str) -> Condition:
        """When a component without `when` is wanted, from the options' names alone, as the specification writes them.

        `include_redis` decides on redis; a select that offers `postgresql` as a value decides on postgresql.
        """
        for name, option in self.options.items():
            if name == f"include_{component}" and (option is None or option.kind == "boolean"):
                self.used.add(name)
                return Condition(((name, (True,)),))
            if option and option.role is None and component in option.values:
                self.used.add(name)
                return Condition(((name, (component,)),))
        return ALWAYS

    def _values(self, name: str, wanted: object, path: str) -> tuple[object, ...]:
        if name not in self.options:
            self.problems.add(path, f"{not_one_of(name, self.options)} (the options)")
            return ()
        self.used.add(name)
        values = tuple(wanted) if isinstance(wanted, list) else (wanted,)
        option = self.options[name]
        if option:
            for value in values:
                self._check(option, value, path)
        return values

    def _check(self, option: Option, value: object, path: str) -> None:
        try:
            option.clean(value)
        except ValueError as error:
            self.problems.add(path, f"{option.name} {error}" if "must" in str(error) else f"{option.name}: {error}")

    def report_unused(self, paths: Mapping[str, str]) -> None:
        """Reports every option or secret (name -> path) that nothing used."""
        for name, path in paths.items():
            if name not in self.used:
                self.problems.add(
                    path, f'nothing uses "{name}"; use it in a when or as ${{{name.upper()}}}, or remove it'
                )
