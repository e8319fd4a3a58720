from __future__ import annotations

import contextlib
import json
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forgelab.devices.facts import DISK_KINDS, FIGURES, SCRIPT, figures, parse
from forgelab.devices.models import Device
from tests.devices.answers import PI


def test_a_raspberry_pi_is_read():
    pi = parse(PI)
    assert (pi.distribution, pi.distribution_version, pi.architecture) == ("debian", "12", "aarch64")
    assert (pi.memory_total_mb, pi.memory_available_mb) == (3793, 3046)
    assert (pi.cores, pi.load_percent, pi.uptime_seconds) == (4, 25.0, 86400)
    assert (pi.disk_total_mb, pi.disk_free_mb, pi.disk_kind) == (29864, 23552, "sd")
    assert (pi.model, pi.temperature_celsius) == ("Raspberry Pi 4 Model B Rev 1.4", 51.1)


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
    with pytest.raises(ValueError, match=f"did not report its {name}"):
        parse(answer)


def test_what_a_device_says_is_kept_within_bounds():
    hostile = parse(
        f"model=a\x00b\x1b[31m{'x' * 500}\n{PI}distribution={'d' * 99}\nroot_disk=disk {'k' * 99}\ncores=1e9\n"
    )
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


@pytest.mark.parametrize("said", ["To Be Filled By O.E.M.", "System Product Name", "Default string", "None", ""])
def test_a_form_that_nobody_has_filled_in_is_no_model(said):
    assert parse(f"model={said}\nmodel=PRIME B450M-A\n{PI.replace('model=Rasp', 'x=')}").model == "PRIME B450M-A"
    assert parse(f"model={said}\n{PI.replace('model=Rasp', 'x=')}").model == ""


def test_a_machine_without_a_hypervisor_is_not_virtual():
    assert parse(PI + "virtualisation=none\n").virtualisation == ""
    assert parse(PI + "virtualisation=kvm\n").virtualisation == "kvm"


LSBLK = {"blockdevices": [
    {"name": "nvme0n1", "type": "disk", "size": 500107862016, "rota": False, "model": "Samsung SSD 970 EVO  500GB"},
    {"name": "sda", "type": "disk", "size": "4000787030016", "rota": "1", "model": "WDC WD40EFRX "},
    {"name": "mmcblk0", "type": "disk", "size": 31914983424, "rota": False, "model": None},
    {"name": "mmcblk0boot0", "type": "disk", "size": 4194304, "rota": False, "model": None},
    {"name": "sr0", "type": "rom", "size": 1073741312, "rota": True, "model": "DVD"},
    {"name": "zram0", "type": "disk", "size": 1073741312, "rota": False, "model": None},
    {"name": "sdb", "type": "disk", "size": 0, "rota": True, "model": "Card reader"},
]}  # fmt: skip
DISKS = [
    {"name": "nvme0n1", "kind": "nvme", "size_mb": 476940, "model": "Samsung SSD 970 EVO 500GB"},
    {"name": "sda", "kind": "hdd", "size_mb": 3815447, "model": "WDC WD40EFRX"},
    {"name": "mmcblk0", "kind": "sd", "size_mb": 30436, "model": ""},
]


def test_the_disks_are_listed_with_their_kind():
    assert parse(f"{PI}disks={json.dumps(LSBLK)}\n").disks == DISKS


def test_without_lsblk_the_disks_come_from_the_kernel():
    lines = ["nvme0n1 976773168 0 Samsung SSD 970 EVO  500GB", "sda 7814037168 1 WDC WD40EFRX", "mmcblk0 62333952 0",
             "loop0 8 0", "sdb 0 1 Card reader", "dm-0 62333952 0", "sdc many 1"]  # fmt: skip
    assert parse(PI + "".join(f"disk={line}\n" for line in lines)).disks == DISKS


@pytest.mark.parametrize(
    "odd", ["", "[", "[]", "{}", '{"blockdevices": 7}', '{"blockdevices": [7, {"type": "disk"}]}', "[" * 9999]
)
def test_an_odd_list_of_disks_is_none(odd):
    assert parse(f"{PI}disks={odd}\n").disks == []


SS = [
    'LISTEN 0      511          0.0.0.0:80         0.0.0.0:*    users:(("nginx",pid=7,fd=6),("nginx",pid=8,fd=6))',
    'LISTEN 0      511             [::]:80            [::]:*    users:(("nginx",pid=7,fd=7))',
    'LISTEN 0      4096   127.0.0.53%lo:53         0.0.0.0:*    users:(("systemd-resolve",pid=9,fd=1))',
    "LISTEN 0      128                *:22               *:*",
    'LISTEN 0      200        127.0.0.1:5432       0.0.0.0:*    users:(("postgres",pid=3,fd=5))',
    'LISTEN 0      200            [::1]:5432          [::]:*    users:(("postgres",pid=3,fd=4))',
    'LISTEN 0      70  [::ffff:127.0.0.1]:9000           *:*    users:(("java",pid=4,fd=4))',
    'LISTEN 0      70     192.168.1.11:3306       0.0.0.0:*    users:(("mariadbd",pid=5,fd=4))',
    "LISTEN rubbish", "", "LISTEN 0 1 1.2.3.4:99999 *:*",
]  # fmt: skip


def test_the_ports_that_are_taken_are_named_with_who_listens():
    assert parse(PI + "".join(f"listens={line}\n" for line in SS)).listening == [
        {"port": 22, "process": "", "address": "any"},
        {"port": 53, "process": "systemd-resolve", "address": "loopback"},
        {"port": 80, "process": "nginx", "address": "any"},
        {"port": 3306, "process": "mariadbd", "address": "other"},
        {"port": 5432, "process": "postgres", "address": "loopback"},
        {"port": 9000, "process": "java", "address": "loopback"},
    ]


def test_without_ss_the_ports_come_from_the_kernels_tables():
    bound = ["00000000:0050", "0100007F:0035", "00000000000000000000000001000000:1538",
             "0000000000000000FFFF00000100007F:2328", "0B01A8C0:0CEA", "xyz:1"]  # fmt: skip
    found = {row["port"]: row["address"] for row in parse(PI + "".join(f"bound={b}\n" for b in bound)).listening}
    assert found == {80: "any", 53: "loopback", 5432: "loopback", 9000: "loopback", 3306: "other"}


@pytest.mark.parametrize(
    ("lines", "degrees"),
    [
        (["acpitz 27800", "x86_pkg_temp 44000", "coretemp 43000"], 44.0),
        (["acpitz 27800", "iwlwifi_1 51000"], None),
        (["cpu0-thermal 41000", "cpu1-thermal 43500", "gpu-thermal 60000"], 43.5),
        (["k10temp 200000", "k10temp -273000", "k10temp hot", ""], None),
        (["nvme 38850", "k10temp 61125"], 61.1),
    ],
)
def test_the_temperature_is_that_of_the_processor(lines, degrees):
    answer = PI.replace("heat=", "x=") + "".join(f"heat={line}\n" for line in lines)
    assert parse(answer).temperature_celsius == degrees


@pytest.mark.parametrize(("said", "kept"), [
    ("52:54:00:AB:34:56", "52:54:00:ab:34:56"), ("00:00:00:00:00:00", ""), ("", ""), ("52:54:00", ""),
    ("52:54:00:12:34:56:00:00:00:00:00:00:00:00:00:00:00:00:00:00", ""), ("$(reboot)", ""),
])  # fmt: skip
def test_the_cards_address_is_one_or_nothing(said, kept):
    assert parse(f"{PI}mac_address={said}\n").mac_address == kept


def test_the_minutes_script_reports_the_same_figures():
    done = subprocess.run(["sh", "-s"], input=FIGURES, capture_output=True, text=True, check=True)
    whole = subprocess.run(["sh", "-s"], input=SCRIPT, capture_output=True, text=True, check=True)
    assert (figures(done.stdout).memory_total_mb, figures(done.stdout).cores) == (
        parse(whole.stdout).memory_total_mb, parse(whole.stdout).cores,
    )  # fmt: skip
    assert done.stderr == ""


def test_without_programs_the_whole_script_still_answers(tmp_path):
    for name in ("grep", "df", "awk", "sed", "tr", "cat", "head", "uname", "id"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(
        ["/bin/sh", "-s"], input=SCRIPT, capture_output=True, text=True, check=True, env={"PATH": str(tmp_path)}
    )
    here = parse(done.stdout)
    assert here.disks or here.disk_kind == "unknown"
    assert here.listening


NAMES = st.sampled_from(
    ["heat", "model", "disk", "disks", "listens", "bound", "root_disk", "mac_address", "virtualisation", "distribution",
     "cores", "load", "memory_total_kb", "uptime"]
)  # fmt: skip
LINES = st.one_of(
    st.text(), st.sampled_from(SS), st.from_regex(r"[a-z0-9]+ -?[0-9]+ [01] .*"), st.just(json.dumps(LSBLK))
)


@given(st.lists(st.tuples(NAMES, LINES)))
@example([("heat", "cpu ٣٤")])
@example([("listens", "LISTEN 0 1 1.2.3.4:٣ *:*")])
@example([("disks", '{"blockdevices": [{"name": "sda", "type": "disk", "size": 1e400}]}')])
def test_whatever_a_device_says_is_read_or_refused_and_fits_its_columns(lines):
    with contextlib.suppress(ValueError):
        found = parse(PI + "".join(f"{name}={value}\n" for name, value in lines))
        for name in ("distribution", "distribution_version", "architecture", "model", "virtualisation", "mac_address"):
            assert len(getattr(found, name)) <= Device._meta.get_field(name).max_length
        json.dumps([found.disks, found.listening], allow_nan=False)
        assert found.temperature_celsius is None or -30 < found.temperature_celsius < 125
        assert all(0 < row["port"] < 65536 and len(row["process"]) <= 32 for row in found.listening)
        assert all(0 < disk["size_mb"] < 2**31 and disk["kind"] in (*DISK_KINDS, "unknown") for disk in found.disks)
