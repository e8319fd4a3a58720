"""Asking over kept connections, with real SSH on loopback."""

from __future__ import annotations

import asyncio
import os
import uuid

import asyncssh
import pytest

from forgelab.devices import facts
from forgelab.devices.metrics import connections as module
from forgelab.devices.metrics.connections import Connections
from forgelab.devices.metrics.probe import ProbeFailed
from forgelab.devices.models import Device, Identity
from tests.devices.metrics.ssh_server import ANSWER, FakeDevice, new_key, private_text, public_text, run

KEY = new_key()
IDENTITY = Identity(name="forgelab", public_key=public_text(KEY), private_key=private_text(KEY))


def known(fake: FakeDevice, **fields: object) -> Device:
    values = {
        "id": uuid.uuid4(), "name": "nas", "address": "127.0.0.1", "port": fake.port, "user": "pi",
        "identity": IDENTITY, "host_keys": public_text(fake.host_key),
    }  # fmt: skip
    return Device(**(values | fields))


async def ask(connections: Connections, device: Device) -> str:
    return await asyncio.wait_for(connections.ask(device, facts.FIGURES), 30)


def test_many_looks_go_over_one_connection():
    async def story():
        fake = await FakeDevice(KEY).start()
        connections, device = Connections(), known(fake)
        for _ in range(3):
            assert await ask(connections, device) == ANSWER
        assert (fake.logins, fake.asked, fake.scripts[0]) == (1, 3, facts.FIGURES)
        connections.close()
        await fake.stop()

    run(story)


def test_after_a_reboot_the_same_probe_connects_again():
    async def story():
        fake = await FakeDevice(KEY).start()
        connections, device = Connections(), known(fake)
        await ask(connections, device)
        fake.hang_up()
        assert await ask(connections, device) == ANSWER
        assert fake.logins == 2
        connections.close()
        await fake.stop()

    run(story)


def test_a_silent_connection_is_given_up_for_another_that_answers():
    async def story():
        fake = await FakeDevice(KEY).start()
        connections, device = Connections(patience=0.2), known(fake)
        await ask(connections, device)
        fake.delay = 600.0
        asking = asyncio.create_task(ask(connections, device))
        while fake.asked < 3:  # the silent one, and the one beside it
            await asyncio.sleep(0.01)
            fake.delay = 600.0 if fake.asked < 2 else 0.0
        assert await asking == ANSWER
        assert fake.logins == 2
        assert len(connections) == 1
        connections.close()
        await fake.stop()

    run(story)


def test_a_late_answer_over_the_kept_connection_counts():
    async def story():
        fake = await FakeDevice(KEY).start()
        connections, device = Connections(patience=0.05), known(fake)
        await ask(connections, device)
        fake.delay = 1.0
        assert await ask(connections, device) == ANSWER
        connections.close()
        await fake.stop()

    run(story)


def test_another_host_key_is_reported_at_once_and_nothing_is_asked():
    async def story():
        fake = await FakeDevice(KEY).start()
        device = known(fake, host_keys=public_text(new_key()))
        with pytest.raises(ProbeFailed, match=r"HOST KEY CHANGED.*forgelab device trust nas") as told:
            await ask(Connections(), device)
        for key in (fake.host_key, asyncssh.import_public_key(device.host_keys)):
            assert key.get_fingerprint() in str(told.value)
        assert told.value.key_changed and told.value.refused
        assert (fake.asked, fake.logins) == (0, 0)
        await fake.stop()

    run(story)


def test_a_device_that_has_no_key_of_the_pinned_kind_any_more_has_changed_it():
    async def story():
        fake = await FakeDevice(KEY, host_key=asyncssh.generate_private_key("ecdsa-sha2-nistp256")).start()
        with pytest.raises(ProbeFailed, match=r"not the pinned one") as told:
            await ask(Connections(), known(fake, host_keys=public_text(new_key())))
        assert told.value.key_changed
        await fake.stop()

    run(story)


def test_a_refused_login_names_the_key_and_what_to_do():
    async def story():
        fake = await FakeDevice(new_key()).start()
        with pytest.raises(ProbeFailed, match=r"refused the key forgelab.*authorized_keys") as told:
            await ask(Connections(), known(fake))
        assert told.value.refused and not told.value.key_changed
        await fake.stop()

    run(story)


def test_a_device_that_is_off_is_a_miss_with_the_reason():
    async def story():
        fake = await FakeDevice(KEY).start()
        await fake.stop()
        with pytest.raises(ProbeFailed, match=r"cannot be reached: .*refused.*switched on") as told:
            await ask(Connections(), known(fake))
        assert not told.value.refused

    run(story)


def test_no_agent_configuration_or_key_of_this_user_is_used(monkeypatch, tmp_path):
    """Whoever runs ForgeLab may have an agent and a configuration that would open the door by chance."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host *\n  User root\n  ProxyCommand false\n")
    stranger = new_key()
    (tmp_path / ".ssh/id_ed25519").write_text(private_text(stranger))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nothing"))

    async def story():
        fake = await FakeDevice(stranger).start()
        with pytest.raises(ProbeFailed, match=r"refused the key forgelab"):
            await ask(Connections(), known(fake))
        fake.client = KEY
        assert await ask(Connections(), known(fake)) == ANSWER
        await fake.stop()

    run(story)


def test_a_device_behind_another_is_reached_through_its_kept_connection():
    async def story():
        jump, behind = await FakeDevice(KEY).start(), await FakeDevice(KEY).start()
        connections, gate = Connections(), known(jump, name="gate")
        devices = [known(behind, name=f"behind-{n}", jump=gate) for n in range(3)]
        answers = await asyncio.gather(*(ask(connections, device) for device in [gate, *devices]))
        assert answers == [ANSWER] * 4
        assert (jump.logins, behind.logins) == (1, 3)
        await jump.stop()
        with pytest.raises(ProbeFailed, match=r"behind-0 is reached through gate. gate .*cannot be reached"):
            await ask(connections, devices[0])
        connections.close()
        await behind.stop()

    run(story)


def test_a_changed_key_of_the_jump_host_stops_those_behind_it():
    async def story():
        jump, behind = await FakeDevice(KEY).start(), await FakeDevice(KEY).start()
        gate = known(jump, name="gate", host_keys=public_text(new_key()))
        with pytest.raises(
            ProbeFailed, match=r"behind is reached through gate. HOST KEY CHANGED: that of gate .*not the pinned one"
        ):
            await ask(Connections(), known(behind, name="behind", jump=gate))
        assert behind.logins == 0
        await jump.stop()
        await behind.stop()

    run(story)


def test_a_device_that_is_reached_another_way_now_gets_another_connection():
    async def story():
        old, new = await FakeDevice(KEY).start(), await FakeDevice(KEY, answer="new").start()
        connections, device = Connections(), known(old)
        await ask(connections, device)
        device.port, device.host_keys = new.port, public_text(new.host_key)
        assert await ask(connections, device) == "new"
        assert len(connections) == 1
        connections.keep_only([])
        assert len(connections) == 0
        await old.stop()
        await new.stop()

    run(story)


def test_an_endless_answer_is_cut_off():
    async def story():
        fake = await FakeDevice(KEY, answer="x" * (module.LONGEST + 100_000)).start()
        with pytest.raises(ProbeFailed, match=r"without end"):
            await ask(Connections(), known(fake))
        await fake.stop()

    run(story)


def test_this_machine_is_asked_without_ssh_and_without_forgelabs_environment(monkeypatch):
    monkeypatch.setenv("FORGELAB_ENCRYPTION_KEYS", "s3cret")

    async def story():
        here = Device(id=uuid.uuid4(), name="here", address="localhost", connection=Device.Connection.LOCAL)
        assert facts.figures(await Connections().ask(here, facts.FIGURES)).cores >= 1
        assert "s3cret" not in await Connections().ask(here, "env")

    run(story)
    assert os.environ["FORGELAB_ENCRYPTION_KEYS"] == "s3cret"


def test_unreadable_keys_are_reported():
    async def story():
        fake = await FakeDevice(KEY).start()
        with pytest.raises(ProbeFailed, match=r"keys of nas cannot be read"):
            await ask(Connections(), known(fake, host_keys="ssh-ed25519 AAAA"))
        await fake.stop()

    run(story)


def test_what_a_hostile_machine_says_is_kept_short_and_printable():
    async def insult(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-\0\x1b[31m" + b"x" * 100_000 + b"\r\n\0\0\0\0")
        writer.close()

    async def story():
        fake = FakeDevice(KEY)
        server = await asyncio.start_server(insult, "127.0.0.1", 0)
        device = known(fake, port=server.sockets[0].getsockname()[1])
        with pytest.raises(ProbeFailed) as told:
            await ask(Connections(), device)
        assert str(told.value).isprintable() and len(str(told.value)) <= 2000
        server.close()

    run(story)
    said = str(ProbeFailed("a\0b\x1b[31m" + "x" * 9999))
    assert (said[:8], len(said)) == ("a b [31m", 2000)
