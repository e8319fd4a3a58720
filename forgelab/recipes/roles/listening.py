"""The ports that a role's services listen on: `ports` in its `meta/forgelab.yml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forgelab.lib.reader import Reader
from forgelab.recipes.roles.variables import full_name

LIMIT, LAST_PORT = 20, 65535
PROCESS, PROCESS_MEANS = r"[A-Za-z0-9_.-]{1,40}", "a process's name, such as redis-server"


@dataclass(frozen=True, slots=True)
class Port:
    """`number` is a port, or the variable that holds it; it is listened on where all of `when` have these values."""

    number: int | str
    process: str
    when: Mapping[str, object] = field(default_factory=dict)

    def at(self, values: Mapping[str, object]) -> int | None:
        """The port with these values of the role's variables; None where nothing listens, or only the device knows."""
        if any(values.get(name) != wanted for name, wanted in self.when.items()):
            return None
        number = str(values.get(self.number) if isinstance(self.number, str) else self.number)
        return int(number) if number.isdecimal() else None

    def can_be(self, given: Mapping[str, object]) -> bool:
        """Whether these values, which need not be all, leave it open that something listens."""
        return all(given.get(name, wanted) == wanted for name, wanted in self.when.items())

    def shown(self, values: Mapping[str, object]) -> dict[str, object]:
        """As `vars/main.yml` would have it, for documentation."""
        port = values.get(self.number, f"({self.number})") if isinstance(self.number, str) else self.number
        return {"port": port, "process": self.process}


def read_ports(top: Reader, role: str, options: Mapping[str, object]) -> tuple[Port, ...] | None:
    """None where the file does not say. A port is a number, or the name of a variable without the role's."""
    if "ports" not in top:
        return None
    found = []
    for path, item in top.items("ports", LIMIT):
        reader = Reader(item, path, top.problems, ("port", "process", "when"))
        when = Reader(reader.data.get("when", {}), reader.at("when"), top.problems)
        number = _number(reader, role, options) if reader.data else 0
        process = reader.text("process", None, pattern=PROCESS, means=PROCESS_MEANS) if reader.data else ""
        conditions = {full_name(when, name, name, role, options): value for name, value in when.data.items()}
        found.append(Port(number, process, conditions))
    return tuple(found)


def _number(reader: Reader, role: str, options: Mapping[str, object]) -> int | str:
    if isinstance(reader.data.get("port"), str):
        return full_name(reader, "port", reader.text("port"), role, options)
    if "port" not in reader:
        reader.wrong("port", "is missing")
    return reader.integer("port", 0, 1, LAST_PORT) or 0
