from __future__ import annotations

from matrix.machine import Listener, Machine


def check(machine: Machine) -> set[Listener]:
    """The run itself has logged in; here what the page shows is tried with other means."""
    for title, fields in machine.credentials.items():
        if "Host" in fields:
            reach = f"import socket; socket.create_connection(({fields['Host']!r}, {int(fields['Port'])}), 10)"
            machine.run("python3", "-c", reach)
            assert fields["Password"], title
    return set()
