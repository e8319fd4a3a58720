from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.roles.helpers import exact


def last_line(text: str) -> str:
    return text.splitlines()[-1]


def as_cron_runs_it(line: str) -> str:
    """The shell's command: without the six fields before it, and with cron's escaped percent signs."""
    return line.split(" ", 6)[6].replace("\\%", "%")


def test_the_line_is_the_specifications(render: Callable[..., str]) -> None:
    assert last_line(render("scheduler", "cron.j2", scheduler_app_name="shop")) == (
        "* * * * * www-data cd '/var/www/shop/current' && [ -f artisan ] && php artisan schedule:run >> /dev/null 2>&1"
    )


def test_the_file_ends_with_a_new_line_as_cron_demands(render: Callable[..., str]) -> None:
    assert render("scheduler", "cron.j2").endswith("2>&1\n")


def test_a_tricky_folder_arrives_as_itself(tmp_path: Path) -> None:
    folder = tmp_path / "{{ 7*7 }} `;touch pwned;` ;x #y %d $(x) \"'\\ ü日本"
    folder.mkdir()
    (folder / "artisan").touch()
    php = tmp_path / "php"
    php.write_text(f'#!/bin/sh\necho "$PWD $*" > "{tmp_path}/called"\n')
    php.chmod(0o755)
    line = last_line(exact("scheduler", "cron.j2", scheduler_app_root=str(folder), scheduler_php=str(php)))
    assert "%" not in line.replace("\\%", "")
    subprocess.run(["sh", "-c", as_cron_runs_it(line)], check=True, cwd=tmp_path)
    assert (tmp_path / "called").read_text() == f"{folder} artisan schedule:run\n"
    assert not (tmp_path / "pwned").exists()


def test_before_the_first_deploy_nothing_is_run(render: Callable[..., str], tmp_path: Path) -> None:
    line = last_line(render("scheduler", "cron.j2", scheduler_app_root=str(tmp_path), scheduler_php="false"))
    assert subprocess.run(["sh", "-c", as_cron_runs_it(line)], check=False).returncode == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("scheduler_app_name", "a.b"),
        ("scheduler_app_name", "{{ 7*7 }}"),
        ("scheduler_app_root", "relative"),
        ("scheduler_app_root", "/a\n* * * * * root x"),
        ("scheduler_app_root", "/a\\%b"),
        ("scheduler_app_root", "/" + "a" * 400),
        ("scheduler_app_user", "root\nx"),
        ("scheduler_php", "php -r x"),
    ],
)
def test_it_refuses_with_the_variables_name(refusals: Callable[..., list[str]], variable: str, value: str) -> None:
    found = refusals("scheduler", **{variable: value})
    assert [sentence.split(":")[0] for sentence in found] == [variable]


def test_the_defaults_are_fine(refusals: Callable[..., list[str]]) -> None:
    assert refusals("scheduler") == []
