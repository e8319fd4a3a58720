"""Labs as a whole: side by side, used by several at once, removed after any end of their owner."""

from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from forgelab.lab import Lab, LabError
from forgelab.lab.cgroups import hierarchies
from forgelab.lab.processes import PACKAGE_ROOT, PidFile
from tests.e2e.lab_devices import PREFIX, ssh

pytestmark = pytest.mark.lab
OTHER_NET, OTHER_BRIDGE = "10.79.199", "flbrtest"


@pytest.fixture
def other_lab(lab, tmp_path):
    """A lab beside the session's, so that it can be taken down."""
    other = Lab(dir=tmp_path / "lab", net=OTHER_NET, bridge=OTHER_BRIDGE, images=lab.site.images)
    yield other
    other.down(everything=False)
    subprocess.run(["ip", "route", "del", "unreachable", f"{OTHER_NET}.0/24"], capture_output=True)


def test_calls_at_the_same_time_give_every_device_its_own_address(lab):
    names = [f"{PREFIX}-p{number}" for number in range(3)]
    command = [sys.executable, "-m", "forgelab.lab", "up"]
    where = {"DIR": str(lab.site.dir), "NET": lab.site.net, "BRIDGE": lab.site.bridge}
    env = os.environ | {f"FORGELAB_LAB_{key}": value for key, value in where.items()}
    calls = [subprocess.Popen([*command, name], cwd=PACKAGE_ROOT, env=env, stdout=subprocess.DEVNULL) for name in names]
    try:
        assert [call.wait(60) for call in calls] == [0, 0, 0]
        assert len({lab.device(name).address for name in names}) == 3
        assert {ssh(lab.device(name), "hostname") for name in names} == set(names)
    finally:
        for name in names:
            lab.device(name).remove()


def card(link, namespace=()):
    """The hardware address of a network interface."""
    shown = subprocess.check_output(["ip", *namespace, "-br", "link", "show", link], text=True)
    return re.search(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", shown)[0]


def test_another_that_takes_an_address_over_is_found_at_once_and_so_is_the_lab(other_lab):
    other_lab.up(f"{PREFIX}-witness")  # the bridge keeps its address while devices come and go
    cards = []
    for name in (f"{PREFIX}-before", f"{PREFIX}-after"):
        device = other_lab.up(name)
        assert ssh(device, "hostname") == name
        cards.append((device.address, card("eth0", ["-n", other_lab.network.namespace(name)])))
        assert card(OTHER_BRIDGE) == other_lab.site.mac(1)
        device.remove()
    assert cards[0] == cards[1]


def traces(lab):
    """Everything on this machine that belongs to a lab, by kind; empty lists for one that is down."""
    bridge, folder = lab.site.bridge, str(lab.site.dir)
    lines = functools.partial(subprocess.check_output, text=True)
    return {
        "links": [line for line in lines(["ip", "-br", "link"]).splitlines() if line.startswith(bridge)],
        "namespaces": [line for line in lines(["ip", "netns"]).splitlines() if line.startswith(bridge)],
        "rules": [line for line in lines(["ip", "rule"]).splitlines() if bridge in line],
        "groups": [str(tree) for tree in hierarchies() if (tree / f"forgelab-{bridge}").exists()],
        "mounts": [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if folder in line],
        "processes": [str(path) for path in Path("/proc").glob("[0-9]*/cmdline") if folder in command_line(path)],
    }


def command_line(path):
    try:
        return path.read_text()
    except OSError:
        return ""


def test_down_leaves_nothing_even_of_a_lab_whose_owner_crashed(lab, other_lab):
    device = lab.up(f"{PREFIX}-beside", memory="512M", cpus=1)
    start = "import os, sys; from forgelab.lab import Lab; Lab(*sys.argv[1:]).up_many(['one', 'two']); os._exit(9)"
    site = other_lab.site
    arguments = [str(site.dir), site.net, site.bridge, str(site.images)]
    assert subprocess.run([sys.executable, "-c", start, *arguments], cwd=PACKAGE_ROOT).returncode == 9
    assert all(traces(other_lab).values())
    os.kill(PidFile(site.devices / "one/chassis.pid").pid(), signal.SIGKILL)

    Lab(site.dir).down()

    assert not any(traces(other_lab).values()), traces(other_lab)
    assert not site.devices.exists()
    assert list(site.images.glob("bookworm-*"))
    route = subprocess.check_output(["ip", "route", "show", "type", "unreachable"], text=True)
    assert f"{OTHER_NET}.0/24" in route
    assert ssh(device, "hostname") == device.name
    device.remove()


def test_down_is_done_when_there_is_nothing_to_take_down(other_lab):
    other_lab.down()
    assert not any(traces(other_lab).values())


def test_a_network_that_is_in_use_is_refused_and_named(lab, tmp_path):
    with pytest.raises(LabError, match=rf"{lab.site.net}\.0/24 is in use on {lab.site.bridge}.*FORGELAB_LAB_NET"):
        Lab(dir=tmp_path, net=lab.site.net, bridge=OTHER_BRIDGE, images=lab.site.images).up("one")
