"""Ways to a device, over real sshds: through others, by IPv6, on other ports; and none at all, for this machine."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.devices import hostkeys, services, ssh
from forgelab.devices.models import Device, Identity
from forgelab.lib import processes
from tests.support.services import ServiceMissing
from tests.support.sshd import Sshd, sshd
from tests.support.stack import wait_for

Make = Callable[..., Device]


@pytest.fixture(scope="module")
def gate_server() -> Iterator[Sshd]:
    try:
        with sshd() as running:
            yield running
    except ServiceMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def server(gate_server: Sshd) -> Iterator[Sshd]:
    with sshd("::1") as running:
        yield running


@pytest.fixture
def make(db: None) -> Make:
    """A device that is this sshd, with a key of its own."""

    def make(name: str, server: Sshd, **fields: object) -> Device:
        server.allow(server.public_key)
        key = Identity.objects.create(name=f"{name}-key", public_key=server.public_key, private_key=server.private_key)
        return Device.objects.create(
            name=name, address=server.address, port=server.port, user=server.user, identity=key,
            host_keys="\n".join(map(str, server.host_keys())), **fields,
        )  # fmt: skip

    return make


@pytest.fixture
def gate(make: Make, gate_server: Sshd) -> Device:
    return make("gate", gate_server)


@pytest.fixture
def attic(make: Make, server: Sshd, gate: Device) -> Device:
    return make("attic", server, jump=gate)


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What ssh is started with, to find what is left of it."""
    value = str(uuid.uuid4())
    monkeypatch.setenv(processes.RUN_MARK, value)
    yield value
    wait_for(lambda: not processes.marked(value), 30, "what was killed is gone")


def test_by_ipv6_and_another_port(make, server):
    device = make("attic", server)
    assert ssh.run_script(device, "echo $SSH_CONNECTION").split()[2:] == ["::1", str(server.port)]
    assert hostkeys.scan("::1", server.port) == server.host_keys()


def test_through_another_device_with_the_own_key_of_each(attic, gate, server, mark):
    assert gate.identity.private_key != attic.identity.private_key
    assert ssh.run_script(attic, "echo $SSH_CONNECTION").split()[2:] == ["::1", str(server.port)]


def test_through_two_devices(make, attic, gate_server, mark):
    with sshd() as third:
        cellar = make("cellar", third, jump=attic)
        assert ssh.run_script(cellar, "cat", timeout=30) == ""
        assert ssh.run_script(cellar, "echo $SSH_CONNECTION").split()[3] == str(third.port)
        gate_server.restart()
        with pytest.raises(ssh.HostKeyChanged) as changed:
            ssh.run_script(cellar, "true")
    said = str(changed.value)
    assert said.startswith("cellar is reached through attic. attic is reached through gate. HOST KEY CHANGED: ")
    assert said.endswith("forgelab device trust gate")


def test_what_takes_too_long_leaves_no_process_of_the_way(attic, mark):
    with pytest.raises(ssh.DeviceUnreachable, match="did not answer within 6 seconds"):
        ssh.run_script(attic, "sleep 300", timeout=1)


def test_a_changed_key_on_the_way_names_that_device_and_both_fingerprints(attic, gate, gate_server):
    (old,) = gate_server.host_keys()
    gate_server.restart()
    (new,) = gate_server.host_keys()
    with pytest.raises(ssh.HostKeyChanged) as changed:
        ssh.run_script(attic, "true")
    assert str(changed.value) == (
        f"attic is reached through gate. HOST KEY CHANGED: that of gate ({gate.user}@127.0.0.1 port {gate.port}) is "
        f"not the pinned one. Pinned: {old.fingerprint}. Shown now: {new.fingerprint}. Either the device was "
        "reinstalled, or somebody else answers at its address; ForgeLab does nothing there. If you know why it "
        "changed, accept the new key: forgelab device trust gate"
    )
    with pytest.raises(ssh.HostKeyChanged, match="forgelab device trust gate"):
        hostkeys.scan(attic.address, attic.port, jump=Device.objects.get(name="gate"))
    services.device_trust(device=attic.jump, host_keys=hostkeys.scan("127.0.0.1", gate.port), actor=SYSTEM)
    assert ssh.run_script(attic, "echo hello") == "hello\n"


def test_a_changed_key_behind_it_names_the_device_itself(attic, server):
    server.restart()
    (new,) = server.host_keys()
    with pytest.raises(ssh.HostKeyChanged) as changed:
        ssh.run_script(attic, "true")
    assert str(changed.value).startswith("HOST KEY CHANGED: that of attic")
    assert f"Shown now: {new.fingerprint}." in str(changed.value)
    services.device_trust(
        device=attic, host_keys=hostkeys.scan(attic.address, attic.port, jump=attic.jump), actor=SYSTEM
    )
    assert ssh.run_script(attic, "echo hello") == "hello\n"


def test_a_key_of_a_kind_that_was_never_pinned_is_shown_by_its_fingerprint(attic, server):
    attic.host_keys = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAA="
    with pytest.raises(ssh.HostKeyChanged, match=server.host_keys()[0].fingerprint.replace("+", r"\+")):
        ssh.run_script(attic, "true")


def test_the_keys_of_a_device_behind_it_are_scanned_through_it(gate, server, mark):
    assert hostkeys.scan("::1", server.port, jump=gate) == server.host_keys()


def test_where_nothing_answers_behind_it_that_is_reported(gate, mark):
    with pytest.raises(hostkeys.HostKeyError, match=r"at ::1 port 1, as gate sees it.* ssh -J \w+@127.0.0.1:\d+ -p 1"):
        hostkeys.scan("::1", 1, timeout=5, jump=gate)


def test_a_device_that_the_one_before_cannot_reach_is_reported(attic):
    attic.port = 1
    with pytest.raises(ssh.DeviceUnreachable, match=r"attic .* cannot be reached from gate, .*Connection refused"):
        ssh.run_script(attic, "true")


def test_who_refuses_the_key_on_the_way_is_named(attic, gate_server):
    gate_server.allow("# nobody")
    with pytest.raises(
        ssh.DeviceUnreachable, match=r"^attic is reached through gate. gate .* refused the key gate-key"
    ):
        ssh.run_script(attic, "true")


def test_for_a_device_that_lets_nobody_through_the_error_says_what_to_set(make, server, db):
    with sshd(more="AllowTcpForwarding no\n") as strict:
        attic = make("attic", server, jump=make("strict", strict))
        with pytest.raises(
            ssh.DeviceUnreachable, match=r"strict lets nobody through to attic .*AllowTcpForwarding yes"
        ):
            ssh.run_script(attic, "true")


class TestAddingBehind:
    def test_looks_at_it_through_the_other(self, gate, server):
        """That user cannot become root: an error says so, so it was reached."""
        with pytest.raises(ValidationError) as refused:
            services.device_add(
                name="attic", address="::1", port=server.port, user=server.user, jump=gate,
                host_keys=hostkeys.scan("::1", server.port, jump=gate), identity=_known(server), actor=SYSTEM,
            )  # fmt: skip
        assert list(refused.value.message_dict) == ["user"]

    def test_what_others_are_reached_through_stays_and_says_for_whom(self, attic, gate, make, server):
        with pytest.raises(ValidationError, match="gate cannot be removed: attic is reached through it"):
            services.device_remove(device=gate, actor=SYSTEM)
        services.device_remove(device=attic, actor=SYSTEM)
        services.device_remove(device=gate, actor=SYSTEM)
        assert not Device.objects.exists()

    def test_a_way_that_is_a_circle_is_refused(self, attic, gate):
        gate.jump = attic
        with pytest.raises(ValidationError) as refused:
            gate.full_clean()
        assert refused.value.message_dict == {
            "jump": [
                "That way leads in a circle: gate is reached through attic is reached through gate. "
                "Choose another device."
            ]
        }
        gate.jump = gate
        with pytest.raises(ValidationError, match="in a circle"):
            gate.full_clean()


def _known(server: Sshd) -> Identity:
    return Identity.objects.create(name="attic-key", public_key=server.public_key, private_key=server.private_key)


class TestThisMachine:
    @pytest.fixture
    def here(self, db: None) -> Device:
        return services.device_add(name="here", address="localhost", host_keys=[], connection="local", actor=SYSTEM)

    def test_needs_neither_key_nor_host_keys(self, here):
        assert (here.identity, here.host_keys, here.status, here.user) == (None, "", "reachable", ssh.local_user())
        assert not Identity.objects.exists()
        assert services.device_refresh(device=here, actor=SYSTEM).status == "reachable"

    def test_runs_scripts_in_a_shell_that_knows_nothing_of_forgelab(self, here, monkeypatch):
        monkeypatch.setenv("FORGELAB_ENCRYPTION_KEYS", "s3cret")
        assert ssh.run_script(here, "id -u; env", root=True).splitlines()[0] == "0"
        assert "s3cret" not in ssh.run_script(here, "env", root=True)
        with pytest.raises(RuntimeError, match="no such thing"):
            ssh.run_script(here, "echo no such thing >&2; exit 4")

    def test_a_script_that_takes_too_long_is_ended(self, here):
        mark = str(uuid.uuid4())
        started = time.monotonic()
        with pytest.raises(ssh.DeviceUnreachable, match="did not answer within 1 seconds"):
            ssh.run_script(here, f"export {processes.RUN_MARK}={mark}; sleep 600 & sleep 600", timeout=1)
        assert time.monotonic() - started < 300
        wait_for(lambda: not processes.marked(mark), 30, "what was killed is gone")

    def test_is_reached_directly_and_leads_nowhere(self, here, gate):
        for wrong in (Device(name="x", address="::1", jump=here), Device(name="y", address="::1", jump=gate)):
            wrong.connection = "local" if wrong.name == "y" else "ssh"
            with pytest.raises(ValidationError) as refused:
                wrong.full_clean(exclude=["identity", "host_keys"])
            assert "is the machine that ForgeLab runs on" in refused.value.message_dict["jump"][0]

    def test_is_one(self, here):
        with pytest.raises(ValidationError, match="here is this machine already"):
            services.device_add(name="again", address="localhost", host_keys=[], connection="local", actor=SYSTEM)

    def test_has_no_key_to_trust(self, here, gate_server):
        with pytest.raises(ValidationError, match="here is this machine"):
            services.device_trust(device=here, host_keys=gate_server.host_keys(), actor=SYSTEM)

    def test_who_cannot_become_root_here_is_reported(self, db, monkeypatch):
        monkeypatch.setattr(ssh, "local_user", lambda: "nobody")
        monkeypatch.setitem(ssh.LOCAL_ENVIRONMENT, "PATH", os.environ["PATH"])
        monkeypatch.setattr(ssh, "_become", lambda root, user: ["sudo-that-is-not-here"] if root else [])
        with pytest.raises(ValidationError) as refused:
            services.device_add(name="here", address="localhost", host_keys=[], connection="local", actor=SYSTEM)
        assert "nobody cannot become root on here without a password" in refused.value.message_dict["user"][0]
