"""Devices and identities against a real sshd, where the error is one that only SSH can make; else without network."""

from __future__ import annotations

import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.devices import facts, hostkeys, services, ssh
from forgelab.devices.models import Device, Identity
from forgelab.lib import processes
from forgelab.servers.models import Server
from tests.devices.answers import PI
from tests.support.services import ServiceMissing
from tests.support.sshd import Sshd, sshd


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    try:
        with sshd() as running:
            yield running
    except ServiceMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def reachable(db, server: Sshd, identity) -> Device:
    """A device that is the sshd of this test."""
    Identity.objects.filter(pk=identity.pk).update(name="test-key", public_key=server.public_key)
    identity.refresh_from_db()
    identity.private_key = server.private_key
    identity.save()
    server.allow(server.public_key)
    return Device.objects.create(
        name="here", address="127.0.0.1", port=server.port, user=server.user, identity=identity,
        host_keys="\n".join(map(str, server.host_keys())), status=Device.Status.REACHABLE,
    )  # fmt: skip


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """The path of a socket must be short."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)


class TestOverSSH:
    def test_a_script_runs_and_its_answer_comes_back(self, reachable):
        assert ssh.run_script(reachable, "echo 'a b'; cat /dev/null; echo $((6*7))") == "a b\n42\n"

    def test_no_quoting_stands_between_script_and_shell(self, reachable):
        assert ssh.run_script(reachable, "printf '%s' \"it's {{ 7*7 }} \\$HOME\"") == "it's {{ 7*7 }} $HOME"

    def test_a_failing_script_says_why(self, reachable):
        with pytest.raises(RuntimeError, match="no such thing"):
            ssh.run_script(reachable, "echo no such thing >&2; exit 4")
        with pytest.raises(RuntimeError, match="ended with status 4 on here"):
            ssh.run_script(reachable, "exit 4")

    def test_bytes_that_are_no_text_do_not_matter(self, reachable):
        assert ssh.run_script(reachable, "printf 'a\\377b'") == "a\ufffdb"

    def test_a_script_that_takes_too_long_is_given_up(self, reachable):
        with pytest.raises(ssh.DeviceUnreachable, match=r"here \(127\.0\.0\.1\) did not answer within 1 seconds"):
            ssh.run_script(reachable, "sleep 30", timeout=1)

    def test_a_refused_key_is_reported_with_the_line_to_add(self, reachable, server):
        server.allow("# nobody")
        with pytest.raises(ssh.DeviceUnreachable) as refused:
            ssh.run_script(reachable, "true")
        assert "refused the key test-key" in str(refused.value)
        assert server.public_key in str(refused.value)
        assert f"~{server.user}/.ssh/authorized_keys" in str(refused.value)

    def test_a_changed_host_key_stops_everything_and_says_how_to_go_on(self, reachable, server):
        server.restart()
        with pytest.raises(ssh.HostKeyChanged, match="forgelab device trust here"):
            ssh.run_script(reachable, "true")
        assert services.device_refresh(device=reachable, actor=SYSTEM).status == "unreachable"
        services.device_trust(device=reachable, host_keys=hostkeys.scan("127.0.0.1", server.port), actor=SYSTEM)
        assert ssh.run_script(reachable, "echo hello") == "hello\n"

    def test_a_host_key_that_was_never_pinned_is_not_accepted(self, reachable):
        reachable.host_keys = ""
        with pytest.raises(ssh.HostKeyChanged):
            ssh.run_script(reachable, "true")

    def test_the_scanned_keys_are_the_servers(self, server):
        assert hostkeys.scan("127.0.0.1", server.port) == server.host_keys()

    def test_a_user_without_sudo_can_not_be_added_and_the_error_says_what_to_do(self, reachable, server):
        with pytest.raises(ValidationError) as refused:
            services.device_add(
                name="two", address="127.0.0.1", host_keys=server.host_keys(), user=server.user, port=server.port,
                identity=reachable.identity, actor=SYSTEM,
            )  # fmt: skip
        assert list(refused.value.message_dict) == ["user"]
        assert "NOPASSWD: ALL" in refused.value.message_dict["user"][0]
        assert Device.objects.count() == 1

    def test_a_look_stores_what_the_device_says(self, reachable):
        looked = services.device_refresh(device=reachable, actor=SYSTEM)
        assert (looked.status, looked.status_detail) == ("reachable", "")
        assert looked.memory_total_mb > 0
        assert looked.seen_at
        assert looked.misses == 0

    def test_neither_key_nor_known_hosts_are_left_behind(self, reachable, monkeypatch):
        folders = []
        make = ssh.private_files

        @contextmanager
        def watched(device):
            with make(device) as folder:
                folders.append(folder)
                yield folder

        monkeypatch.setattr(ssh, "private_files", watched)
        ssh.run_script(reachable, "true")
        assert len(folders) == 1
        assert not folders[0].exists()

    def test_the_connection_master_of_a_run_is_ended_with_it(self, reachable, server, short_folder):
        """A real one, whose environment ssh has written over."""
        run = str(uuid.uuid4())
        (short_folder / run).mkdir()
        with ssh.private_files(reachable) as folder:
            argv = ssh.command_line(reachable, folder, 5)
            argv[argv.index("ControlPath=none")] = f"ControlPath={short_folder / run}/master"
            argv[1:1] = ["-o", "ControlMaster=auto", "-o", "ControlPersist=30s"]
            environment = {"PATH": "/usr/bin:/bin", processes.RUN_MARK: run}
            subprocess.run(
                [*argv, "true"], env=environment, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        assert len(processes.marked(run)) == 1
        assert processes.end_marked(run) == 1
        assert processes.marked(run) == []


class TestWithoutNetwork:
    @pytest.fixture(autouse=True)
    def answers(self, monkeypatch):
        """What devices answer: `facts` and the user id that sudo gives; an exception is raised instead."""
        told = {"facts": PI, "id": "0\n"}

        def run_script(device, script, *, root=False, **more):
            answer = told["id" if root else "facts"]
            if isinstance(answer, Exception):
                raise answer
            return answer() if callable(answer) else answer

        monkeypatch.setattr(ssh, "run_script", run_script)
        return told

    def add(self, identity, **changes):
        keys = [hostkeys.HostKey("ssh-ed25519", "AAAA")]
        return services.device_add(
            **{"name": "pi", "address": "192.168.1.7", "host_keys": keys, "identity": identity, "actor": SYSTEM}
            | changes
        )

    def test_a_device_is_added_with_what_it_says(self, identity):
        added = self.add(identity, user="pi", port=2222)
        assert (added.model, added.cores, added.status) == ("Raspberry Pi 4 Model B Rev 1.4", 4, "reachable")
        assert (added.port, added.host_keys) == (2222, "ssh-ed25519 AAAA")

    @pytest.mark.parametrize(
        ("field", "value"),
        [("name", "My Pi"), ("name", "all"), ("address", "a b"), ("address", "fe80::1%;x"), ("user", "Root"),
         ("port", 0), ("port", 65536), ("host_keys", [])],
    )  # fmt: skip
    def test_bad_input_names_its_field_and_nothing_is_asked_or_stored(self, identity, answers, field, value):
        answers["facts"] = AssertionError("asked")
        with pytest.raises(ValidationError) as refused:
            self.add(identity, **{field: value})
        assert list(refused.value.message_dict) == [field]
        assert not Device.objects.exists()

    def test_a_second_device_of_that_name_is_refused(self, identity):
        self.add(identity)
        with pytest.raises(ValidationError, match="already exists"):
            self.add(identity, address="192.168.1.8")

    @pytest.mark.parametrize("answer", [RuntimeError("sh: not found"), "what?\n"])
    def test_a_device_that_is_no_linux_is_reported(self, identity, answers, answer):
        answers["facts"] = answer
        with pytest.raises(ValidationError) as refused:
            self.add(identity)
        assert "pi answers, but not like a Linux system" in refused.value.message_dict["address"][0]

    @pytest.mark.parametrize("answer", ["1000\n", RuntimeError("sudo: a password is required"), ""])
    def test_who_can_not_become_root_is_refused(self, identity, answers, answer):
        answers["id"] = answer
        with pytest.raises(ValidationError) as refused:
            self.add(identity, user="pi")
        assert "echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/forgelab" in refused.value.message_dict["user"][0]

    def test_a_device_that_can_not_be_reached_is_not_stored(self, identity, answers):
        answers["facts"] = ssh.DeviceUnreachable("off")
        with pytest.raises(ssh.DeviceUnreachable):
            self.add(identity)
        assert not Device.objects.exists()

    @pytest.mark.parametrize("error", [ssh.DeviceUnreachable("it is off"), RuntimeError("bro\0ken"), "nonsense"])
    def test_a_look_that_fails_is_stored_and_keeps_what_was_known(self, device, answers, error):
        answers["facts"] = error
        for misses, status in ((1, "reachable"), (2, "reachable"), (3, "unreachable")):
            looked = services.device_refresh(device=device, actor=SYSTEM)
            assert (looked.status, looked.misses) == (status, misses)
            assert looked.status_detail and "\0" not in looked.status_detail
            assert looked.memory_total_mb == 16384

    def test_a_look_that_meets_another_key_is_no_mere_miss(self, device, answers):
        answers["facts"] = ssh.HostKeyChanged("another key")
        looked = services.device_refresh(device=device, actor=SYSTEM)
        assert (looked.status, looked.misses, looked.status_detail) == ("unreachable", 1, "another key")

    def test_the_cards_address_is_read_unless_a_person_has_given_one(self, device, answers):
        answers["facts"] = PI + "mac_address=dc:a6:32:00:00:01\n"
        assert services.device_refresh(device=device, actor=SYSTEM).mac_address == "dc:a6:32:00:00:01"
        Device.objects.update(mac_address="52:54:00:12:34:56")
        assert services.device_refresh(device=Device.objects.get(), actor=SYSTEM).mac_address == "52:54:00:12:34:56"

    def test_an_address_that_a_person_gives_meanwhile_is_kept(self, device, answers):
        def meanwhile():
            Device.objects.update(mac_address="52:54:00:12:34:56")
            return PI + "mac_address=dc:a6:32:00:00:01\n"

        answers["facts"] = meanwhile
        assert services.device_refresh(device=device, actor=SYSTEM).mac_address == "52:54:00:12:34:56"

    def test_looks_that_fail_are_counted_until_one_succeeds(self, device, answers):
        for answer, misses in ((ssh.DeviceUnreachable("off"), 1), (ssh.DeviceUnreachable("off"), 2), (PI, 0)):
            answers["facts"] = answer
            assert services.device_refresh(device=device, actor=SYSTEM).misses == misses

    def test_a_look_does_not_undo_what_a_person_decided_meanwhile(self, device, answers):
        def meanwhile():
            services.device_trust(
                device=Device.objects.get(), host_keys=[hostkeys.HostKey("ssh-rsa", "NEWS")], actor=SYSTEM
            )
            Device.objects.update(address="192.168.1.99")
            return PI

        answers["facts"] = meanwhile
        looked = services.device_refresh(device=device, actor=SYSTEM)
        assert (looked.host_keys, looked.address, looked.cores) == ("ssh-rsa NEWS", "192.168.1.99", 4)

    def test_with_a_trusted_key_the_former_trouble_is_no_more(self, make_device):
        device = make_device(status="unreachable", status_detail="HOST KEY CHANGED")
        services.device_trust(device=device, host_keys=[hostkeys.HostKey("ssh-rsa", "NEWS")], actor=SYSTEM)
        device.refresh_from_db()
        assert (device.host_keys, device.status, device.status_detail) == ("ssh-rsa NEWS", "unknown", "")

    def test_trusting_no_key_is_refused(self, device):
        with pytest.raises(ValidationError, match="Give at least one key"):
            services.device_trust(device=device, host_keys=[], actor=SYSTEM)

    def test_a_device_with_a_server_stays_and_says_which(self, device):
        Server.objects.create(name="laravel", server_type="x", device=device, secrets={})
        with pytest.raises(ValidationError, match="homelab-server-01 cannot be removed: laravel is still on it"):
            services.device_remove(device=device, actor=SYSTEM)

    def test_a_device_is_removed_with_the_record_of_its_runs(self, run, device):
        services.device_remove(device=device, actor=SYSTEM)
        assert not Device.objects.exists()


class TestErrorsOfSSH:
    @pytest.mark.parametrize(
        ("error", "kind", "message"),
        [
            ("Connection refused", ssh.DeviceUnreachable, "cannot be reached: Connection refused. Is it switched on"),
            ("", ssh.DeviceUnreachable, "cannot be reached: no answer"),
            ("u@h: Permission denied (publickey).", ssh.DeviceUnreachable, "refused the key forgelab"),
            ("Host key verification failed.", ssh.HostKeyChanged, "is not the pinned one"),
        ],
    )
    def test_are_explained(self, device, error, kind, message):
        explained = ssh._explain(device, error)
        assert type(explained) is kind
        assert message in str(explained)
        assert "homelab-server-01 (root@127.0.0.1 port 1)" in str(explained)

    def test_a_missing_program_is_named(self, device, monkeypatch):
        monkeypatch.setenv("PATH", "/nonexistent")
        with pytest.raises(ssh.DeviceUnreachable, match="install the package openssh-client"):
            ssh.run_script(device, "true")


def test_facts_of_a_device_are_all_stored():
    assert set(facts.Facts.__dataclass_fields__) < {field.name for field in Device._meta.fields}
