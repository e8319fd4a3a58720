from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.errors import AnsibleError

OWNER = pwd.getpwuid(os.geteuid()).pw_name
GROUP = grp.getgrgid(os.getegid()).gr_name


@pytest.fixture
def files() -> ModuleType:
    return sys.modules["ansible.module_utils.forgelab_files"]


@pytest.fixture
def units() -> ModuleType:
    return sys.modules["ansible.module_utils.forgelab_units"]


@pytest.fixture
def validation() -> ModuleType:
    return sys.modules["ansible.module_utils.forgelab_validation"]


def write(transaction: Any, path: Path, content: bytes, mode: str = "0644", **options: Any) -> None:
    transaction.file(path, content, OWNER, GROUP, mode, **{"force": True, "secret": False, **options})


def tree(root: Path) -> dict[str, Any]:
    """Everything below `root` with mode and content, to compare before and after."""
    return {
        str(path.relative_to(root)): (
            oct(path.lstat().st_mode),
            path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(root.rglob("*"))
    }


def test_it_writes_a_file_with_its_mode_and_leaves_nothing_beside_it(files: ModuleType, tmp_path: Path) -> None:
    transaction = files.Transaction()
    write(transaction, tmp_path / "a.conf", b"Managed by ForgeLab\n", "0640")
    assert tree(tmp_path) == {"a.conf": (oct(stat.S_IFREG | 0o640), b"Managed by ForgeLab\n")}
    assert transaction.changed == [str(tmp_path / "a.conf")]


def test_a_second_time_changes_nothing(files: ModuleType, tmp_path: Path) -> None:
    for expected in (2, 0):
        transaction = files.Transaction()
        write(transaction, tmp_path / "a", b"x")
        transaction.link(tmp_path / "b", "a", force=True)
        assert len(transaction.changed) == expected


def test_a_wrong_mode_is_repaired(files: ModuleType, tmp_path: Path) -> None:
    write(files.Transaction(), tmp_path / "a", b"x")
    (tmp_path / "a").chmod(0o666)
    transaction = files.Transaction()
    write(transaction, tmp_path / "a", b"x")
    assert transaction.changed
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


def test_rolling_back_restores_everything_as_it_was(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "changed").write_bytes(b"old")
    (tmp_path / "changed").chmod(0o600)
    (tmp_path / "gone").write_bytes(b"still needed")
    (tmp_path / "link").symlink_to("changed")
    (tmp_path / "folder").mkdir(mode=0o700)
    before = tree(tmp_path)
    transaction = files.Transaction()
    transaction.directory(tmp_path / "folder", OWNER, GROUP, "0755")
    transaction.directory(tmp_path / "new/deep", OWNER, GROUP, "0755")
    write(transaction, tmp_path / "changed", b"new")
    write(transaction, tmp_path / "new/deep/file", b"new")
    transaction.link(tmp_path / "link", "new", force=True)
    transaction.link(tmp_path / "fresh", "new", force=True)
    transaction.absent(tmp_path / "gone")
    assert len(transaction.changed) == 7
    assert tree(tmp_path) != before
    transaction.roll_back()
    assert tree(tmp_path) == before


def test_checking_changes_nothing_but_says_what_would(files: ModuleType, tmp_path: Path) -> None:
    transaction = files.Transaction(dry=True)
    transaction.directory(tmp_path / "x/y", "nobody-there", GROUP, "0755")
    transaction.file(tmp_path / "x/y/z", b"1", "nobody-there", GROUP, "0644", force=True, secret=False)
    transaction.link(tmp_path / "l", "x", force=True)
    assert len(transaction.changed) == 3
    assert tree(tmp_path) == {}


def test_a_secret_stays_out_of_the_diff(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"old-secret")
    transaction = files.Transaction()
    write(transaction, tmp_path / "s", b"new-secret", secret=True)
    assert "-secret" not in str(transaction.diffs)
    assert (tmp_path / "s").read_bytes() == b"new-secret"


def test_a_hand_made_change_shows_in_the_diff(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"by hand\n")
    transaction = files.Transaction(dry=True)
    write(transaction, tmp_path / "a", b"ours\n")
    assert transaction.diffs[0]["before"] == "by hand\n"
    assert transaction.diffs[0]["after"] == "ours\n"


def test_the_original_file_is_kept_once(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"from the package")
    write(files.Transaction(), tmp_path / "a", b"Managed by ForgeLab 1")
    write(files.Transaction(), tmp_path / "a", b"Managed by ForgeLab 2")
    assert (tmp_path / "a.before-forgelab").read_bytes() == b"from the package"


def test_without_force_an_existing_file_is_left_alone(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    transaction = files.Transaction()
    write(transaction, tmp_path / "a", b"x", force=False)
    transaction.link(tmp_path / "a", "b", force=False)
    assert transaction.changed == []
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_a_link_at_the_destination_is_replaced_not_followed(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"keep")
    (tmp_path / "a").symlink_to("elsewhere")
    write(files.Transaction(), tmp_path / "a", b"ours")
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == b"keep"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to another user")
def test_it_refuses_to_write_through_another_users_link(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "planted").symlink_to("real")
    os.chown(tmp_path / "planted", 33, 33, follow_symlinks=False)
    with pytest.raises(files.Refused, match="symbolic link"):
        write(files.Transaction(), tmp_path / "planted/a", b"x")
    assert tree(tmp_path / "real") == {}


def test_it_refuses_a_folder_where_a_file_should_be(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(files.Refused, match="is a folder"):
        write(files.Transaction(), tmp_path / "a", b"x")
    with pytest.raises(files.Refused, match="not removed"):
        files.Transaction().absent(tmp_path / "a")


def test_it_names_a_user_who_is_not_there(files: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(files.Refused, match="no user 'nobody-there'"):
        files.Transaction().file(tmp_path / "a", b"x", "nobody-there", GROUP, "0644", force=True, secret=False)
    assert tree(tmp_path) == {}


def test_what_a_killed_run_left_beside_a_file_is_cleared(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / ".a.forgelab-killed").write_bytes(b"half")
    write(files.Transaction(), tmp_path / "a", b"x")
    assert set(tree(tmp_path)) == {"a"}


def test_a_failing_check_tells_command_and_output(validation: ModuleType) -> None:
    validation.validate(["true"])
    with pytest.raises(validation.ValidationFailed, match=r"(?s)`sh -c 'echo bad; exit 3'`.*status 3.*bad"):
        validation.validate(["true", "sh -c 'echo bad; exit 3'"])


def test_a_check_that_is_not_installed_says_so(validation: ModuleType) -> None:
    with pytest.raises(validation.ValidationFailed, match="is not on this device"):
        validation.validate(["no-such-program -t"])


def test_a_failing_check_does_not_print_secrets(validation: ModuleType) -> None:
    secret = '# a comment\nrequirepass "hunter2hunter2"\n'
    output = validation.masked('error at >>> requirepass "hunter2hunter2" in line 2: hunter2hunter2', [secret])
    assert "hunter2" not in output
    assert "in line 2" in output


SHOWN = """LoadState=loaded
ActiveState=active
UnitFileState=enabled
StateChangeTimestampMonotonic=5000000

LoadState=loaded
ActiveState=inactive
UnitFileState=disabled
StateChangeTimestampMonotonic=0
"""


def fake_systemctl(calls: list[list[str]], shown: str = SHOWN) -> Callable[..., Any]:
    def run(arguments: Any) -> subprocess.CompletedProcess[str]:
        calls.append(list(arguments))
        return subprocess.CompletedProcess(arguments, 0, shown if arguments[0] == "show" else "", "")

    return run


def test_only_units_that_are_off_are_touched(units: ModuleType) -> None:
    calls: list[list[str]] = []
    assert units.ensure_units(["a.service", "b.service"], dry=False, run=fake_systemctl(calls)) == {
        "b.service": ["enable", "start"]
    }
    assert calls[1:] == [["enable", "b.service"], ["start", "b.service"]]


def test_systemd_is_told_of_a_new_drop_in_before_a_unit_is_started(units: ModuleType) -> None:
    calls: list[list[str]] = []
    written = ["/etc/systemd/system/b.service.d/forgelab.conf"]
    units.ensure_units(["a.service", "b.service"], dry=False, run=fake_systemctl(calls), changed=written)
    assert calls[1] == ["daemon-reload"]
    assert calls[-1] == ["start", "b.service"]


def test_in_check_mode_no_unit_is_touched(units: ModuleType) -> None:
    calls: list[list[str]] = []
    assert units.ensure_units(["a.service", "b.service"], dry=True, run=fake_systemctl(calls)) == {
        "b.service": ["enable", "start"]
    }
    assert len(calls) == 1


def test_a_masked_unit_is_refused_with_the_way_out(units: ModuleType) -> None:
    shown = "LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n"
    with pytest.raises(units.UnitFailed, match=r"systemctl unmask a\.service"):
        units.ensure_units(["a.service"], dry=False, run=fake_systemctl([], shown))


def test_a_service_older_than_its_configuration_is_found(units: ModuleType) -> None:
    state = {"ActiveState": "active", "StateChangeTimestampMonotonic": "5000000"}
    started = 1000.0
    now, monotonic = started + 100, 105.0
    assert units.unread_since(state, started + 1, now, monotonic)
    assert not units.unread_since(state, started - 1, now, monotonic)
    assert not units.unread_since(state, now + 3600, now, monotonic)
    assert not units.unread_since({**state, "ActiveState": "inactive"}, started + 1, now, monotonic)


def test_content_must_be_text(plugin: Callable[[str], ModuleType]) -> None:
    action = plugin("common/action_plugins/config_files.py")
    assert action.as_text("{{ 7*7 }}", "/x") == "{{ 7*7 }}"
    assert action.as_text(None, "/x") == ""
    with pytest.raises(AnsibleError, match="content of /x must be text"):
        action.as_text(["a"], "/x")


def test_what_callbacks_see_of_a_task_has_no_content(plugin: Callable[[str], ModuleType]) -> None:
    action = plugin("common/action_plugins/config_files.py")
    assert action.without_texts([{"content": "s3cret", "dest": "/x", "secret": True}]) == [
        {"dest": "/x", "secret": True}
    ]


def test_filters_name_the_variable_they_refuse(plugin: Callable[[str], ModuleType]) -> None:
    filters = plugin("common/filter_plugins/forgelab.py")
    assert filters.must_match("shop", "[a-z]+", "x_name", "small letters") == "shop"
    assert filters.one_line("größer 'als' %h", "x_text") == "größer 'als' %h"
    for value in ("a\n", "a b", "{{ 7*7 }}"):
        with pytest.raises(AnsibleError, match=r"x_name: .* is not allowed; allowed is small letters"):
            filters.must_match(value, "[a-z]+", "x_name", "small letters")
    with pytest.raises(AnsibleError, match="x_text"):
        filters.one_line("a\nb", "x_text")


def test_locks_that_nobody_holds_are_free() -> None:
    locks = sys.modules["ansible.module_utils.forgelab_locks"]
    assert locks.lock_holder("/nowhere/lock") is None


def test_the_holder_of_a_lock_is_named(tmp_path: Path) -> None:
    locks = sys.modules["ansible.module_utils.forgelab_locks"]
    path = tmp_path / "lock"
    path.touch()
    program = (
        "import fcntl,sys; f=open(sys.argv[1],'w'); fcntl.lockf(f,fcntl.LOCK_EX); print('held',flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdin
        holder.stdout.readline()
        assert locks.lock_holder(str(path)) == holder.pid
        holder.stdin.write("\n")
        holder.stdin.flush()
    assert locks.lock_holder(str(path)) is None


def test_a_service_whose_last_reload_failed_has_not_read_its_configuration(units: ModuleType) -> None:
    state = {"ActiveState": "active", "StateChangeTimestampMonotonic": "5000000", "ReloadResult": "exit-code"}
    assert units.unread_since(state, 1.0, now=1000.0, monotonic=105.0)
    assert not units.unread_since({**state, "ReloadResult": "success"}, 1.0, now=1000.0, monotonic=105.0)


def test_what_is_looked_for_is_found_with_the_targets_of_links(
    plugin: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    (tmp_path / "8.2").mkdir()
    (tmp_path / "8.2/pool.conf").touch()
    (tmp_path / "php8.2").touch()
    (tmp_path / "php").symlink_to(tmp_path / "php8.2")
    found = plugin("common/library/config_files.py").look_for(
        [f"{tmp_path}/php", f"{tmp_path}/*/pool.conf", f"{tmp_path}/missing"]
    )
    assert found == {f"{tmp_path}/php": f"{tmp_path}/php8.2", f"{tmp_path}/8.2/pool.conf": ""}


def test_it_tells_what_it_looks_after_but_not_what_it_only_begins(plugin: Callable[[str], ModuleType]) -> None:
    module = plugin("common/library/config_files.py")
    params = {
        "directories": [{"path": "/d", "creates": None}, {"path": "/e", "creates": "/there"}],
        "files": [
            {"dest": "/f", "force": True, "creates": None}, {"dest": "/once", "force": False, "creates": None},
            {"dest": "/g", "force": True, "creates": "/there"},
        ],
        "links": [{"path": "/l", "force": True, "creates": None}, {"path": "/m", "force": False, "creates": None}],
        "units": ["x.service"],
    }  # fmt: skip
    assert module.managed(params) == {"files": ["/f", "/l"], "directories": ["/d"], "units": ["x.service"]}
