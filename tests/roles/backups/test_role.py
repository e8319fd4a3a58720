"""The role: its units, its settings, its refusals; and what the backup program decides without a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.roles.backups.program import FILES, load
from tests.roles.helpers import ROLES

keep = load("retention").keep
postgresql, mysql, programs = load("postgresql"), load("mysql"), load("programs")
NIGHT = datetime(2026, 11, 21, 2, 0, 3, tzinfo=UTC)
MODULES = yaml.safe_load((ROLES / "backups/vars/main.yml").read_text())["backups_modules"]


def nights(count: int, every: int = 1) -> dict[str, datetime]:
    """Backups of the last nights, `night-0` the newest."""
    return {f"night-{n}": NIGHT - timedelta(days=n) for n in range(0, count, every)}


def kept(backups: dict[str, datetime], daily: int = 7, weekly: int = 4, monthly: int = 6) -> list[int]:
    names = keep(backups, NIGHT, daily=daily, weekly=weekly, monthly=monthly)
    return sorted(int(name.split("-")[1]) for name in names)


def test_a_year_of_nights_leaves_seven_days_four_weeks_and_six_months() -> None:
    # 2026-11-21 is a Saturday: the newest of a week is its Sunday, of a month its last day.
    assert kept(nights(365)) == [0, 1, 2, 3, 4, 5, 6, 13, 20, 21, 52, 82, 113, 144]


def test_days_weeks_and_months_are_counted_apart() -> None:
    assert kept(nights(365), daily=3, weekly=0, monthly=0) == [0, 1, 2]
    assert kept(nights(365), daily=1, weekly=3, monthly=0) == [0, 6, 13]
    assert kept(nights(365), daily=1, weekly=0, monthly=3) == [0, 21, 52]


def test_a_device_that_slept_loses_nothing_of_what_it_had() -> None:
    before = {name: at - timedelta(days=200) for name, at in nights(7).items()}
    assert set(before) <= keep(before | {"new-0": NIGHT}, NIGHT, daily=8, weekly=0, monthly=0)


def test_of_one_day_the_newest_stays_but_what_is_younger_than_a_day_stays_anyway() -> None:
    noon = NIGHT - timedelta(days=3)
    backups = {f"old-{n}": noon - timedelta(hours=n) for n in range(2)}
    backups |= {f"young-{n}": NIGHT - timedelta(minutes=n) for n in range(3)}
    assert keep(backups, NIGHT, daily=2, weekly=0, monthly=0) == {"young-0", "young-1", "young-2", "old-0"}


@given(st.dictionaries(st.text(min_size=1), st.integers(0, 4000), min_size=1), st.integers(0, 3), st.integers(0, 3))
def test_the_newest_is_never_removed(ages: dict[str, int], daily: int, weekly: int) -> None:
    backups = {name: NIGHT - timedelta(hours=30 + age) for name, age in ages.items()}
    left = keep(backups, NIGHT, daily=daily, weekly=weekly, monthly=0)
    assert max(backups.values()) in {backups[name] for name in left}
    assert len(left) <= max(1, daily + weekly)


def test_the_program_arrives_as_it_is(evaluate: Callable[..., Any]) -> None:
    role = str(ROLES / "backups")
    written = {
        Path(item["dest"]).name: item["content"] for item in evaluate("backups", "backups_program", role_path=role)
    }
    assert written == {path.name: path.read_text() for path in (FILES / "forgelab_backup").glob("*.py")}
    assert sorted(written) == sorted(f"{module}.py" for module in MODULES)


def test_the_settings_are_what_the_program_reads(evaluate: Callable[..., Any], tmp_path: Path) -> None:
    chosen = {"backups_keep_daily": "9", "backups_exclude": ["a{{ 7*7 }}"], "backups_copy_to": "/mnt/nas"}
    (tmp_path / "backup.json").write_text(json.dumps(evaluate("backups", "backups_settings", **chosen)))
    read = load("settings").read(tmp_path / "backup.json")
    assert (read.keep_daily, read.exclude, read.copy_to) == (9, ("a{{ 7*7 }}",), "/mnt/nas")
    assert (read.directory, read.reserve_mb) == ("/var/backups/forgelab", 256)


def test_the_programs_own_defaults_are_the_roles() -> None:
    defaults = yaml.safe_load((ROLES / "backups/defaults/main.yml").read_text())
    own = load("settings").Settings()
    for name in ("directory", "copy_to", "keep_daily", "keep_weekly", "keep_monthly", "reserve_mb"):
        assert getattr(own, name) == defaults[f"backups_{name}"], name


def test_settings_that_cannot_be_read_are_reported_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "backup.json").write_text("{")
    with pytest.raises(load("problems").Problem, match=r"backup.json cannot be read.*Reprovision"):
        load("settings").read(tmp_path / "backup.json")


def test_the_timer_makes_up_for_a_night_that_the_device_slept(render: Callable[..., str]) -> None:
    unit = render("backups", "forgelab-backup.timer.j2", backups_time="03:15")
    assert "OnCalendar=*-*-* 03:15:00\n" in unit
    assert "Persistent=true\n" in unit


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("backups_time", "2:00"),
        ("backups_time", "24:00"),
        ("backups_time", "02:00\nOnCalendar=*"),
        ("backups_time", "{{ 7*7 }}"),
        ("backups_keep_daily", 0),
        ("backups_keep_weekly", 521),
        ("backups_keep_monthly", -1),
        ("backups_reserve_mb", -1),
        ("backups_directory", "var/backups"),
        ("backups_directory", "/var/../etc"),
        ("backups_directory", "/"),
        ("backups_copy_to", "/mnt\n/nas"),
        ("backups_copy_to", "/var/backups/forgelab"),
    ],
)
def test_it_refuses_with_the_variables_name(refusals: Callable[..., list[str]], variable: str, value: object) -> None:
    found = refusals("backups", **{variable: value})
    assert [sentence.split(":")[0] for sentence in found] == [variable]


def test_the_defaults_are_fine(refusals: Callable[..., list[str]]) -> None:
    assert refusals("backups") == []


def test_a_database_is_made_again_as_it_was_whatever_its_locale() -> None:
    row = {"datcollate": "C.UTF-8", "datctype": "C.UTF-8", "datlocprovider": "i", "daticulocale": "de-DE"}
    details = {"owner": 'sho"p', "encoding": "UTF8", "row": row}
    assert postgresql.creation("a b", details) == (
        'CREATE DATABASE "a b" OWNER "sho""p" TEMPLATE template0 ENCODING \'UTF8\' '
        "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'"
    )
    plain = {**details, "row": {**row, "datlocprovider": "c", "daticulocale": None}}
    assert "LOCALE_PROVIDER" not in postgresql.creation("a", plain)


def test_rights_settings_and_comment_of_a_database_are_given_back() -> None:
    statements = postgresql.properties(
        "shop",
        {
            "comment": "it's\nours",
            "settings": [["", "search_path", '"$user", public'], ["app", "work_mem", "8MB"]],
            "rights": [["", "CONNECT", False], ["app", "CREATE", True]],
        },
    )
    assert statements == [
        "COMMENT ON DATABASE \"shop\" IS 'it''s\nours'",
        "SELECT set_config('search_path', '\"$user\", public', false);\n"
        'ALTER DATABASE "shop" SET "search_path" FROM CURRENT',
        "SELECT set_config('work_mem', '8MB', false);\n"
        'ALTER ROLE "app" IN DATABASE "shop" SET "work_mem" FROM CURRENT',
        'REVOKE ALL ON DATABASE "shop" FROM PUBLIC',
        'GRANT CONNECT ON DATABASE "shop" TO PUBLIC',
        'GRANT CREATE ON DATABASE "shop" TO "app" WITH GRANT OPTION',
    ]


def test_a_name_is_never_taken_for_a_connection_string() -> None:
    assert postgresql.connection("host=evil user='x\\") == "dbname='host=evil user=\\'x\\\\' port=5432"


def test_a_grant_means_one_database_only() -> None:
    assert mysql.pattern("shop_a%") == "`shop\\_a\\%`"
    assert mysql.literal("o'\\") == "'o''\\\\'"


def test_a_long_name_leaves_room_for_its_mark() -> None:
    name = postgresql.PostgreSQL().derived("ü" * 40, "_before_20261121_020003")
    assert len(name.encode()) <= 63
    assert load("engine").OLD.search(name)


def test_a_login_of_somebodys_environment_is_not_taken_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("MYSQL_PWD", "s3cret")
    monkeypatch.setenv("FORGELAB_RUN", "the-run")
    assert programs.run(["sh", "-c", "echo ${PGHOST-none} ${MYSQL_PWD-none} $FORGELAB_RUN"]) == "none none the-run\n"


@pytest.mark.parametrize(
    ("pipe", "words"),
    [
        ([["sh", "-c", "echo x; echo no space >&2; exit 3"], ["cat"]], r"sh failed \(status 3\): no space"),
        ([["echo", "x"], ["sh", "-c", "cat; exit 4"]], r"sh failed \(status 4\): it said nothing"),
        ([["sh", "-c", "kill -9 $$"], ["cat"]], "sh was ended by signal 9"),
        ([["/no/such/program"]], "cannot be run: No such file"),
    ],
)
def test_a_pipe_fails_when_any_of_its_programs_does(pipe: list[list[str]], words: str) -> None:
    with pytest.raises(load("problems").Problem, match=words):
        list(programs.stream(*pipe))


def test_a_pipe_that_is_not_read_to_its_end_leaves_no_program_behind() -> None:
    pieces = programs.stream(["yes"], ["cat"])
    assert next(pieces)
    pieces.close()  # waits for both
