"""The matrix is kept in step with the recipes, without provisioning anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.lab.lab import check_name
from forgelab.recipes.catalog import Catalog, catalog
from matrix import report
from matrix.cases import CASES, RELEASES, THE_LAB, Case
from matrix.checks import checks
from matrix.homelab import PREFIX
from matrix.machine import Listener, _listener


@pytest.fixture(scope="module")
def built_in() -> Catalog:
    return catalog(roles_dir=Path(__file__).resolve().parents[1] / "roles")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_recipe_takes_what_the_case_asks_for(case: Case, built_in: Catalog) -> None:
    named = dict.fromkeys(case.beside, "another")
    for server_type, config in [(case.server_type, {**case.config, **named}), *case.beside.values()]:
        recipe = built_in.get(server_type)
        recipe.clean({name: ["10.0.0.0/8"] if value == THE_LAB else value for name, value in config.items()})
    for name in (case.id, *(f"{case.id}-{option.split('_')[0]}" for option in case.beside)):
        check_name(f"{PREFIX}{name}")


def test_every_server_type_is_there_on_every_release(built_in: Catalog) -> None:
    assert {(case.server_type, case.image) for case in CASES} == {
        (recipe, image) for recipe in built_in.recipes for image in RELEASES
    }
    assert len({case.id for case in CASES}) == len(CASES)


def test_every_component_that_a_case_brings_in_is_looked_at(built_in: Catalog) -> None:
    brought = set()
    for case in CASES:
        recipe = built_in.get(case.server_type)
        config = {name: ["10.0.0.0/8"] if value == THE_LAB else value for name, value in case.config.items()}
        clean = recipe.clean({**config, **dict.fromkeys(case.beside, "another")})
        brought |= {component.name for component in recipe.selected(clean)}
    assert brought <= checks().keys()


def test_what_ss_says_is_understood() -> None:
    line = 'tcp LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=1,fd=6),("nginx",pid=2,fd=6))'
    assert _listener(line) == Listener("tcp", 80, "anywhere", "nginx")
    assert _listener('udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=1,fd=6))') == Listener(
        "udp", 53, "local", "systemd-resolve"
    )
    assert _listener('tcp LISTEN 0 5 [::]:22 [::]:* users:(("sshd",pid=1,fd=4))') == Listener(
        "tcp", 22, "anywhere", "sshd"
    )


def test_the_report_shows_what_failed_and_what_was_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(report, "DOCUMENT", tmp_path / "matrix.md")
    good, bad = CASES[0], CASES[1]
    with report.recorded(good) as result:
        result.first, result.again, result.changed, result.plan = 61.2, 9.8, 0, "No changes."
    with pytest.raises(AssertionError), report.recorded(bad) as result:
        result.first = 70.0
        raise AssertionError("nginx.service is | dead")
    report.write(2)
    lines = (tmp_path / "matrix.md").read_text().splitlines()
    assert f"1 of {len(CASES)} cases passed; {len(CASES) - 2} have not been run." in lines
    row = next(line for line in lines if f"`{good.id}`" in line)
    assert "| 61 | passed | 10 | 0 | no changes |" in row
    assert "| 70 | **nginx.service is \\| dead** |" in next(line for line in lines if f"`{bad.id}`" in line)
    assert next(line for line in lines if f"`{CASES[2].id}`" in line).endswith("| not run |")
