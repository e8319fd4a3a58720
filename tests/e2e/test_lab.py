from __future__ import annotations

import functools
import http.server
import os
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from forgelab.lab import LabError
from forgelab.lab.processes import PidFile, wait_until
from tests.e2e.lab_devices import PREFIX, link_local, ssh

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def device(lab):
    device = lab.up(f"{PREFIX}-a", memory="512M", cpus=1)
    yield device
    device.remove()


def test_a_device_comes_up_and_ssh_works(lab):
    device = lab.up(f"{PREFIX}-quick")
    try:
        assert ssh(device, "hostname") == f"{PREFIX}-quick"
        assert device.exec(["systemctl", "is-system-running", "--wait"]).stdout == "running\n"
    finally:
        device.remove()
    assert f"{PREFIX}-quick" not in [device.name for device in lab.devices()]


def test_an_unprivileged_user_has_sudo(device):
    assert ssh(device, "id -un; sudo -n id -un", user="homelab").split() == ["homelab", "root"]


def test_ssh_trusts_the_devices_own_keys_only(device):
    scanned = subprocess.run(["ssh-keyscan", "-t", "ed25519", device.address], capture_output=True, text=True).stdout
    assert scanned.strip() in device.host_keys()
    assert "StrictHostKeyChecking=yes" in device.ssh_argv()


def test_it_is_reached_by_ipv6_and_link_local_address_too(lab, device):
    for host in (device.address6, f"{link_local(device)}%{lab.site.bridge}"):
        argv = [host if word.endswith(device.address) else word for word in device.ssh_argv()]
        known = ["-o", f"HostKeyAlias={device.address}", "-l", "root"]
        done = subprocess.run([argv[0], *known, *argv[1:], "echo $SSH_CONNECTION"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert ":" in done.stdout.split()[2]


def test_it_finds_no_way_out_by_ipv6(device):
    assert device.exec(["ip", "-6", "route", "get", "2001:db8::1"], check=False).returncode != 0


def test_the_device_sees_its_own_memory(device):
    assert ssh(device, "free -m | awk '/^Mem/ {print $2}'") == "512"
    assert device.exec(["grep", "MemTotal", "/proc/meminfo"]).stdout.split()[1] == str(512 * 1024)


@pytest.mark.parametrize("count", ["nproc", "grep -c ^processor /proc/cpuinfo", "grep -c ^cpu[0-9] /proc/stat"])
def test_the_device_sees_its_own_cpus(device, count):
    assert ssh(device, count) == "1"
    assert device.exec(["sh", "-c", count]).stdout == "1\n"


def test_a_program_that_takes_more_memory_than_the_device_has_is_ended(device):
    hungry = device.exec(["python3", "-c", "bytearray(2**30)"], check=False)
    assert hungry.returncode != 0


def test_limits_of_a_running_device_can_be_changed(lab, device):
    memory = "free -m | awk '/^Mem/ {print $2}'"
    lab.up(device.name, memory="640M")
    try:
        assert ssh(device, memory) == "640"
    finally:
        lab.up(device.name, memory="512M")
    assert ssh(device, memory) == "512"


def test_limits_of_units_bite_when_asked_for(lab):
    device = lab.up(f"{PREFIX}-units", unit_limits=True, memory="1G")
    try:
        assert device.exec(["systemctl", "is-system-running", "--wait"]).stdout == "running\n"
        take = "systemd-run --wait --quiet -p MemoryMax={} python3 -c 'bytearray(200 * 2**20)'"
        device.exec(["sh", "-c", take.format("400M")])
        assert device.exec(["sh", "-c", take.format("50M")], check=False).returncode != 0
    finally:
        device.remove()


def test_kernel_settings_of_the_device_stay_in_the_device(device):
    here = Path("/proc/sys/vm/swappiness").read_text()
    device.exec(["sysctl", "-q", "vm.swappiness=7"])
    assert device.exec(["sysctl", "-n", "vm.swappiness"]).stdout == "7\n"
    assert Path("/proc/sys/vm/swappiness").read_text() == here


def test_packages_come_through_the_proxy_for_a_sudo_user_without_a_login_shell(lab, device):
    ssh(device, "sudo -n apt-get update -qq && sudo -n apt-get install -y -qq --no-install-recommends tree", "homelab")
    assert ssh(device, "tree --version").startswith("tree ")
    assert len(list((lab.site.dir / "cache").iterdir())) > 3


def test_the_proxy_leads_nowhere_but_to_registries(lab, device):
    through = f"curl -s -o /dev/null -w '%{{http_code}}' -x {lab.site.proxy_url} http://example.invalid/"
    assert ssh(device, through) == "403"


def test_what_a_device_sends_elsewhere_fails_at_once(device):
    done = device.exec(["curl", "-sS", "-m", "10", "http://203.0.113.1/"], check=False)
    assert done.returncode == 7, "curl ends with 7 when it cannot connect and with 28 when time is up"


def test_a_device_reaches_servers_on_the_bridge_directly_and_apt_too(lab, device, tmp_path):
    (tmp_path / "Packages").write_text("")
    (tmp_path / "hello").write_text("hello\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer((lab.site.gateway, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://{lab.site.gateway}:{server.server_port}"
        assert ssh(device, f"curl -sf {url}/hello") == "hello"
        source = shlex.quote(f"deb [trusted=yes] {url} ./")
        ssh(device, f"echo {source} >/tmp/own.list && apt-get update -o Dir::Etc::SourceList=/tmp/own.list 2>&1")
        server.shutdown()


def test_a_power_cut_ends_everything_at_once_and_keeps_the_disk(device):
    ssh(device, "echo kept >/root/kept; nohup sleep 1000 >/dev/null 2>&1 &")
    device.kill()
    assert device.state == "off"
    assert not device.group.is_populated()
    with pytest.raises(LabError, match=f"{device.name} is off: start it with `forgelab lab start {device.name}`"):
        device.exec(["true"])
    device.start()
    assert ssh(device, "cat /root/kept; pgrep -c sleep || true").split() == ["kept", "0"]


def test_a_pulled_cable_cuts_the_device_off_until_it_is_plugged_in_again(device):
    device.cut()
    try:
        assert device.state == "cut"
        *options, target = device.ssh_argv()
        assert subprocess.run([*options, "-oConnectTimeout=1", target, "true"], capture_output=True).returncode == 255
        assert device.exec(["hostname"]).stdout == f"{device.name}\n"
        with pytest.raises(LabError, match=f"has no cable.*forgelab lab heal {device.name}"):
            device.wait_ready(timeout=0.2)
    finally:
        device.heal()
    device.wait_ready(10)
    assert ssh(device, "hostname") == device.name


def test_a_reboot_ends_the_old_system_and_keeps_the_disk(device):
    device.exec(["touch", "/run/before", "/root/before"])
    device.reboot()
    assert ssh(device, "ls /run/before /root/before 2>/dev/null || true") == "/root/before"


def test_a_reboot_from_inside_comes_back_with_the_same_limits(device):
    device.exec(["touch", "/run/before"])
    ssh(device, "systemctl reboot", check=False)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if subprocess.run([*device.ssh_argv(), "! test -e /run/before"], capture_output=True).returncode == 0:
            break
    assert ssh(device, "nproc; free -m | awk '/^Mem/ {print $2}'").split() == ["1", "512"]


def test_stopping_shuts_down_in_order(device):
    device.stop()
    assert device.state == "off"
    device.start()
    assert "Reached target poweroff.target" in device.exec(["journalctl", "--boot=-1", "--no-pager"]).stdout


def test_up_leaves_a_device_that_is_up_alone(lab, device):
    device.exec(["touch", "/run/same"])
    again = lab.up(device.name)
    assert (again.address, again.memory, again.cpus) == (device.address, 512 * 2**20, 1.0)
    again.exec(["test", "-e", "/run/same"])


def test_up_refuses_another_image_for_a_device_that_exists(lab, device):
    with pytest.raises(LabError, match=f"{device.name} exists with image bookworm, not trixie"):
        lab.up(device.name, image="trixie")


def test_a_device_whose_keeper_died_starts_again_with_its_disk(device):
    device.exec(["touch", "/root/kept-too"])
    os.kill(PidFile(device.home / "chassis.pid").pid(), signal.SIGKILL)
    assert wait_until(lambda: device.state == "off", 60)
    device.start()
    assert ssh(device, "ls /root/kept-too") == "/root/kept-too"
