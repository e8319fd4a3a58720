"""What a manifest's conditions and placeholders may name, and which of it they did."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from forgelab.lib.problems import Problems, did_you_mean, listing, not_one_of
from forgelab.lib.reader import kind_of
from forgelab.recipes import context
from forgelab.recipes.conditions import ALWAYS, Condition
from forgelab.recipes.model import LinkRead
from forgelab.recipes.options import Option
from forgelab.recipes.placeholders import names_in

LINK = re.compile(r"[A-Z][A-Z0-9_]*")
KNOWN = ("address", "type")  # of every server, without its recipe publishing it
NAMING = ("networks", "server", "servers")


class Scope:
    """The options, secrets and context values of one manifest while it is read."""

    def __init__(
        self, problems: Problems, options: Mapping[str, Option | None], secrets: Iterable[str], versions: Iterable[str]
    ) -> None:
        """`options` maps every name to its option, or to None where the option itself is wrong."""
        self.problems, self.options = problems, options
        self.secrets = {name.upper(): name for name in secrets}
        self.open = {name: "" for name in (*context.NAMES, *versions)} | {name.upper(): name for name in options}
        self.open |= {f"{name.upper()}_ADDRESSES": name for name, o in options.items() if o and o.kind == "servers"}
        self.used: set[str] = set()
        self.reads: list[LinkRead] = []

    def kind(self, name: str) -> str | None:
        """What a placeholder stands for: an option's kind, "networks" for any list of networks; None when unknown."""
        option = self.options.get(self.open.get(name, "").lower())
        if option:
            return "networks" if name.endswith("_ADDRESSES") and name.lower() not in self.options else option.kind
        return None if self.link(name) or name.lower() in self.options else "string"

    def link(self, name: str) -> tuple[str, str] | None:
        """The `server` option and what is read of that server: `DATABASE_SERVER_PORT` -> database_server, port."""
        if name in self.open or name in self.secrets or not LINK.fullmatch(name):
            return None
        servers = [each for each, option in self.options.items() if option is None or option.kind == "server"]
        named = [each for each in servers if name.startswith(f"{each.upper()}_") and len(name) > len(each) + 1]
        longest = max(named, key=len, default=None)
        return (longest, name[len(longest) + 1 :].lower()) if longest else None

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
            elif link := self.link(name):
                self._link(name, *link, path, secrets)
            else:
                known = [*self.open, *(self.secrets if secrets else ())]
                hint = did_you_mean(name, known) or f"; there are {listing(known)}"
                self.problems.add(path, f"${{{name[:60]}}} is not a known placeholder{hint}")

    def _link(self, name: str, option: str, key: str, path: str, secrets: bool) -> None:
        self.used.add(option)
        if key in KNOWN:
            return
        self.reads.append(LinkRead(option, key, path))
        if not secrets:
            self.problems.add(
                path,
                f"must not use ${{{name}}}: what another server publishes may be a secret, which would be shown or "
                "stored in clear; use it in a component or in credentials",
            )

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
        if option.kind in NAMING or (option.kind == "string" and isinstance(value, bool)):
            if not isinstance(value, bool):
                self.problems.add(path, f"{option.name} must be true (some are named) or false (none), not {value!r}")
            return
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
