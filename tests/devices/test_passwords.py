"""A password used once, against an SSH server of the test's own; tests/e2e does the same with real machines."""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.devices import hostkeys, password_scripts, passwords, ssh
from forgelab.devices.models import Device, Identity
from tests.support import secrets

TOOLS = ("sh", "cat", "env", "grep", "mkdir", "rm", "tail")
PASSWORD = "Correct-Horse-7-Staple"
# Stands in for sudo: says what it was called with, takes the password from its standard input, does nothing.
SUDO = """#!/bin/sh
echo "$@" >>{folder}/sudo-arguments
[ "$1 $2" = "-k -n" ] && exit {free}
read -r given
cat >{folder}/sudo-rest
[ "$given" = "{password}" ] || {{ echo "Sorry, try again." >&2; exit 1; }}
{answer}
"""


class Machine(asyncssh.SSHServer):
    """An SSH server with a home folder and a `sudo`. Attributes say how it lets in."""

    by_password, by_question, question = True, False, "Passwort: "

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home, self.programs = folder / "home", folder / "bin"
        self.home.mkdir()
        self.programs.mkdir()
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.given: list[str] = []
        for tool in TOOLS:  # no others: this machine may have a sudo of its own
            (self.programs / tool).symlink_to(str(shutil.which(tool)))
        self.program("id", "#!/bin/sh\necho 1000\n")
        self.sudo()

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def sudo(self, answer: str = "echo forgelab:added", free: int = 1, password: str = PASSWORD) -> None:
        self.program("sudo", SUDO.format(folder=self.folder, answer=answer, free=free, password=password))

    @property
    def host_keys(self) -> list[hostkeys.HostKey]:
        return hostkeys.parse(self.key.export_public_key().decode())

    def authorized(self) -> str:
        path = self.home / ".ssh/authorized_keys"
        return path.read_text() if path.exists() else ""

    def password_auth_supported(self) -> bool:
        return self.by_password

    def validate_password(self, username: str, password: str) -> bool:
        self.given.append(password)
        return password == PASSWORD

    def kbdint_auth_supported(self) -> bool:
        return self.by_question

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return "", "", "", [(self.question, False)]

    def validate_kbdint_response(self, username: str, responses: Any) -> bool:
        self.given += responses
        return list(responses) == [PASSWORD]

    async def run(self, process: asyncssh.SSHServerProcess[str]) -> None:
        environment = {"HOME": str(self.home), "PATH": str(self.programs)}
        child = await asyncio.create_subprocess_exec(
            str(self.programs / "sh"), "-c", process.command or "", env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, error = await child.communicate((await process.stdin.read()).encode())
        process.stdout.write("a greeting of its own\n" + out.decode())
        process.stderr.write(error.decode())
        process.exit(child.returncode or 0)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Running on a free port of loopback, in a thread of its own."""
    machine = Machine(tmp_path)
    loop = asyncio.new_event_loop()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[machine.key], server_factory=lambda: machine, process_factory=machine.run
        )

    acceptor = loop.run_until_complete(listen())
    machine.port = acceptor.get_port()  # type: ignore[attr-defined]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield machine
    loop.call_soon_threadsafe(acceptor.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `device_add` is called with; it logs in nowhere."""
    calls: list[dict[str, Any]] = []

    def add(**fields: Any) -> Device:
        calls.append(fields)
        return Device(name=fields["name"])

    monkeypatch.setattr("forgelab.devices.services.device_add", add)
    return calls


def add(machine: Machine, **changes: Any) -> Device:
    chosen = {
        "name": "attic", "address": "127.0.0.1", "port": machine.port, "user": "ada", "host_keys": machine.host_keys,
        "password": PASSWORD, "actor": SYSTEM,
    }  # fmt: skip
    return passwords.device_add_with_password(**chosen | changes)


def problem(machine: Machine, **changes: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        add(machine, **changes)
    return refused.value.message_dict


def test_the_key_is_put_in_place_and_the_device_added(
    machine: Machine, identity: Identity, added: list[dict[str, Any]]
) -> None:
    (machine.home / ".ssh").mkdir()
    (machine.home / ".ssh/authorized_keys").write_text("ssh-rsa AAAA a line without an end")
    add(machine)
    assert machine.authorized() == f"ssh-rsa AAAA a line without an end\n{identity.public_key}\n"
    assert [call["name"] for call in added] == ["attic"]
    assert added[0]["host_keys"] == machine.host_keys

    add(machine, name="attic-2")
    assert machine.authorized().count(identity.public_key) == 1


@pytest.mark.usefixtures("identity", "added")
def test_sudo_gets_the_password_on_its_standard_input_and_nothing_else(machine: Machine) -> None:
    add(machine)
    called = (machine.folder / "sudo-arguments").read_text()
    assert "/etc/sudoers.d/forgelab-ada" in called and "visudo -c" in called
    assert PASSWORD not in called
    assert (machine.folder / "sudo-rest").read_text() == ""


@pytest.mark.usefixtures("identity", "added")
def test_who_needs_no_password_for_sudo_gets_no_rule(machine: Machine) -> None:
    machine.sudo(free=0)
    add(machine)
    assert "sudoers" not in (machine.folder / "sudo-arguments").read_text()


@pytest.mark.usefixtures("identity", "added")
def test_the_password_is_given_where_it_is_asked_for_as_a_question(machine: Machine) -> None:
    machine.by_password, machine.by_question = False, True
    add(machine)
    assert machine.given == [PASSWORD]


@pytest.mark.usefixtures("identity", "added")
def test_a_wrong_password_is_tried_once(machine: Machine) -> None:
    machine.by_question = True
    told = problem(machine, password="wrong")
    assert told == {"password": ["127.0.0.1 refused the password of ada."]}
    assert machine.given == ["wrong"]
    assert machine.authorized() == ""


@pytest.mark.usefixtures("identity", "added")
def test_for_root_the_error_says_that_debian_lets_it_in_by_a_key_only(machine: Machine) -> None:
    assert "lets root in by a key only" in problem(machine, user="root", password="wrong")["password"][0]


@pytest.mark.usefixtures("identity", "added")
def test_a_machine_that_takes_no_passwords_is_distinguished_from_a_wrong_one(machine: Machine) -> None:
    machine.by_password = False
    assert "lets nobody in by a password" in problem(machine)["password"][0]


@pytest.mark.usefixtures("identity", "added")
def test_no_other_machine_is_given_the_password(machine: Machine) -> None:
    other = hostkeys.parse(asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode())
    with pytest.raises(ssh.HostKeyChanged, match="another host key than the accepted one"):
        add(machine, host_keys=other)
    assert machine.given == []


@pytest.mark.usefixtures("identity", "added")
def test_where_nobody_listens_it_says_so(machine: Machine) -> None:
    with pytest.raises(ssh.DeviceUnreachable, match="cannot be reached"):
        add(machine, port=1)


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("answer", "field", "words"),
    [
        ("echo 'ada is not in the sudoers file.' >&2; exit 1", "user", "usermod -aG sudo ada"),
        ("echo 'sudo: 1 incorrect password attempt' >&2; exit 1", "password", "sudo on 127.0.0.1 refused"),
        ("echo 'sorry, you must have a tty' >&2; exit 1", "user", "you must have a tty"),
    ],
)
def test_what_sudo_says_is_reported_beside_its_field_and_nothing_is_left(
    machine: Machine, added: list[dict[str, Any]], answer: str, field: str, words: str
) -> None:
    machine.sudo(answer)
    told = problem(machine)
    assert list(told) == [field]
    assert words in told[field][0]
    assert machine.authorized() == ""
    assert added == []


@pytest.mark.usefixtures("identity", "added")
def test_for_a_machine_without_sudo_the_error_names_the_way_out(machine: Machine) -> None:
    (machine.programs / "sudo").unlink()
    assert "apt-get install sudo" in problem(machine)["user"][0]


@pytest.mark.usefixtures("identity")
def test_where_the_key_does_not_open_what_was_put_there_is_taken_away(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.home / ".ssh").mkdir()
    (machine.home / ".ssh/authorized_keys").write_text("ssh-rsa AAAA mine\n")

    def refuse(**_: object) -> Device:
        raise ssh.DeviceUnreachable("attic refused the key")

    monkeypatch.setattr("forgelab.devices.services.device_add", refuse)
    with pytest.raises(ssh.DeviceUnreachable, match="attic refused the key"):
        add(machine)
    assert machine.authorized() == "ssh-rsa AAAA mine\n"
    assert "rm -f /etc/sudoers.d/forgelab-ada" in (machine.folder / "sudo-arguments").read_text()


@pytest.mark.usefixtures("identity", "added")
def test_the_password_is_in_no_row_and_no_log(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="asyncssh")
    add(machine)
    problem(machine, name="attic-3", password="another-wrong-one")
    assert secrets.in_database([PASSWORD, "another-wrong-one"]) == []
    assert secrets.in_text(caplog.text, [PASSWORD, "another-wrong-one"]) == []


@pytest.mark.usefixtures("identity", "added")
@pytest.mark.parametrize(
    ("changes", "field"),
    [({"name": "Attic!"}, "name"), ({"user": "a b"}, "user"), ({"password": ""}, "password"),
     ({"password": "two\nlines"}, "password"), ({"host_keys": []}, "host_keys")],
)  # fmt: skip
def test_wrong_input_is_reported_before_anybody_is_asked(machine: Machine, changes: dict[str, Any], field: str) -> None:
    assert list(problem(machine, **changes)) == [field]
    assert machine.given == []


def test_only_the_word_after_the_mark_counts() -> None:
    assert password_scripts.answer_in("forgelab:no\nWelcome!\r\nforgelab:added\r\nbye\n") == "added"
    assert password_scripts.answer_in("the forgelab:added of others") == ""
