from __future__ import annotations

import subprocess

import pytest

from forgelab.devices.facts import DISK_KINDS, SCRIPT, parse

PI = """distribution=debian
distribution_version=12
distribution_release=bookworm
architecture=aarch64
memory_total_kb=3884676
memory_available_kb=3120040
cores=4
load=1.00
uptime=86400
disk_total_kb=30580832
disk_free_kb=24117248
model=Raspberry Pi 4 Model B Rev 1.4
disk_kind=sd
"""


def test_a_raspberry_pi_is_read():
    pi = parse(PI)
    assert (pi.distribution, pi.distribution_version, pi.architecture) == ("debian", "12", "aarch64")
    assert (pi.memory_total_mb, pi.memory_available_mb) == (3793, 3046)
    assert (pi.cores, pi.load_percent, pi.uptime_seconds) == (4, 25.0, 86400)
    assert (pi.disk_total_mb, pi.disk_free_mb, pi.disk_kind) == (29864, 23552, "sd")
    assert pi.model == "Raspberry Pi 4 Model B Rev 1.4"


def test_lines_that_only_describe_may_be_missing():
    figures = ("memory", "cores", "load", "uptime", "disk_total", "disk_free")
    needed = "".join(f"{line}\n" for line in PI.splitlines() if line.startswith(figures))
    vm = parse("motd = welcome\n" + needed)
    assert (vm.distribution, vm.model, vm.disk_kind, vm.cores) == ("", "", "unknown", 4)


@pytest.mark.parametrize("name", ["memory_total_kb", "memory_available_kb", "cores", "load", "uptime", "disk_free_kb"])
@pytest.mark.parametrize("value", [None, "", "many", "-1", "nan", "inf", "1e300"])
def test_a_figure_that_is_missing_or_none_is_named(name, value):
    lines = [line for line in PI.splitlines() if not line.startswith(f"{name}=")]
    answer = "\n".join([*lines, *([] if value is None else [f"{name}={value}"])])
    with pytest.raises(ValueError, match=f"did not tell its {name}"):
        parse(answer)


def test_what_a_device_says_is_kept_within_bounds():
    hostile = parse(PI + f"model=a\x00b\x1b[31m{'x' * 500}\ndistribution={'d' * 99}\ndisk_kind={'k' * 99}\ncores=1e9\n")
    assert hostile.model.startswith("ab[31mxxx")
    assert (len(hostile.model), len(hostile.distribution), hostile.disk_kind, hostile.cores) == (
        128,
        32,
        "unknown",
        32767,
    )


def test_a_device_without_cores_has_one():
    assert parse(PI.replace("cores=4", "cores=0")).cores == 1


def test_the_script_runs_in_a_plain_shell_and_its_answer_is_read():
    done = subprocess.run(["sh", "-s"], input=SCRIPT, capture_output=True, text=True, check=True)
    here = parse(done.stdout)
    assert 0 < here.memory_available_mb <= here.memory_total_mb
    assert 0 < here.disk_free_mb <= here.disk_total_mb
    assert here.distribution
    assert here.disk_kind in (*DISK_KINDS, "unknown")


@pytest.mark.parametrize(
    ("disk", "kind"),
    [
        ("disk nvme0n1 0", "nvme"), ("disk mmcblk0 0", "sd"), ("disk sda 0", "ssd"), ("disk sda 1", "hdd"),
        ("disk vda 1", "unknown"), ("disk vda 0", "ssd"), ("lvm vg-root 0\\npart sda2 1\\ndisk sda 1", "hdd"),
        ("crypt root 0\\ndisk nvme1n1 0", "nvme"), ("", "unknown"),
    ],
)  # fmt: skip
def test_the_kind_of_disk_is_found_below_partitions_lvm_and_encryption(disk, kind):
    script = f"findmnt() {{ echo /dev/x; }}; lsblk() {{ printf '{disk}\\n'; }}\n{SCRIPT}"
    done = subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, check=True)
    assert parse(done.stdout).disk_kind == kind
