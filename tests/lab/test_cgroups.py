from __future__ import annotations

import pytest

from forgelab.lab.cgroups import ControlGroup, cores_for, hierarchies, joining


def tree(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.fixture
def v1(tmp_path):
    """Two v1 hierarchies beside a v2 one without controllers, as a hybrid machine has them."""
    for name in ("cpuset", "memory", "unified"):
        tree(tmp_path / name, {"cgroup.procs": ""})
    (tmp_path / "cpuset_link").symlink_to("cpuset")
    tree(tmp_path / "cpuset", {"cpuset.cpus": "0-1\n", "cpuset.mems": "0\n"})
    tree(tmp_path / "cpuset/lab/web1", {"cpuset.cpus": "\n", "cpuset.mems": "\n"})
    tree(tmp_path / "cpuset/lab", {"cpuset.cpus": "\n", "cpuset.mems": "\n"})
    stat = "inactive_file 1\ntotal_inactive_file 300\n"
    tree(
        tmp_path / "memory/lab/web1",
        {"memory.limit_in_bytes": "", "memory.usage_in_bytes": "1000\n", "memory.stat": stat},
    )
    return ControlGroup("lab", "web1", tmp_path)


@pytest.fixture
def v2(tmp_path):
    tree(tmp_path, {"cgroup.procs": "", "cgroup.controllers": "cpuset cpu memory pids", "cgroup.subtree_control": ""})
    tree(tmp_path / "lab", {"cgroup.subtree_control": ""})
    limits = dict.fromkeys(("memory.max", "memory.swap.max", "cpu.max", "cpuset.cpus"), "")
    tree(tmp_path / "lab/web1", {**limits, "memory.current": "900", "memory.stat": "inactive_file 100\n"})
    return ControlGroup("lab", "web1", tmp_path)


def test_v1_has_a_group_in_every_hierarchy_and_links_do_not_count(v1):
    assert [folder.relative_to(v1.root).parts[0] for folder in v1.folders()] == ["cpuset", "memory", "unified"]


def test_v2_has_one_group(v2):
    assert v2.folders() == [v2.root / "lab/web1"]
    assert hierarchies(v2.root) == [v2.root]


def test_a_v1_cpuset_is_filled_from_the_machines_before_anything_joins(v1):
    v1.make()
    assert (v1.root / "cpuset/lab/web1/cpuset.cpus").read_text() == "0-1\n"
    assert (v1.root / "cpuset/lab/web1/cpuset.mems").read_text() == "0\n"


def test_v1_limits_memory_and_cores(v1):
    v1.limit(2**30, 1.0, [1])
    assert (v1.root / "memory/lab/web1/memory.limit_in_bytes").read_text() == str(2**30)
    assert (v1.root / "cpuset/lab/web1/cpuset.cpus").read_text() == "1"


def test_v2_limits_memory_without_swap_and_cpus_by_quota_and_cores(v2):
    v2.make()
    v2.limit(2**30, 1.5, [0, 1])
    folder = v2.root / "lab/web1"
    read = {name: (folder / name).read_text() for name in ("memory.max", "memory.swap.max", "cpu.max", "cpuset.cpus")}
    assert read == {"memory.max": str(2**30), "memory.swap.max": "0", "cpu.max": "150000 100000", "cpuset.cpus": "0,1"}


def test_a_device_without_limits_has_the_whole_machine(v2):
    v2.limit(None, None, [0, 1])
    assert (v2.root / "lab/web1/memory.max").read_text() == "max"
    assert (v2.root / "lab/web1/cpu.max").read_text() == "max 100000"


def test_used_memory_leaves_out_what_is_free_for_the_asking(v1):
    assert v1.memory_used() == 700


def test_used_memory_on_v2_too(v2):
    assert v2.memory_used() == 800


def test_a_command_joins_its_groups_before_it_runs(tmp_path):
    argv = joining([tmp_path / "a b"], ["echo", "$HOME; true"])
    assert argv[:2] == ["sh", "-c"]
    assert argv[2] == f"echo $$ >'{tmp_path}/a b/cgroup.procs'; exec \"$@\""
    assert argv[4:] == ["echo", "$HOME; true"]


@pytest.mark.parametrize(
    ("cpus", "number", "cores"),
    [(1, 10, [0]), (1, 11, [1]), (1.5, 10, [0, 1]), (None, 11, [0, 1]), (0.5, 13, [1])],
)
def test_devices_are_spread_over_the_cores(cpus, number, cores):
    assert cores_for(cpus, number, [0, 1]) == cores
