"""A recipe may bring roles of its own; what is wrong with one is reported with its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.recipes.catalog import Catalog, catalog
from tests.recipes.helpers import drop

from ..helpers import MANIFEST, write_roles

ROLE = {
    "tasks/main.yml": "---\n- name: Greet\n  ansible.builtin.debug:\n    msg: hello\n",
    "vars/main.yml": "---\ngreeter_packages: []\ngreeter_services: []\ngreeter_ports: []\ngreeter_report: {}\n",
    "defaults/main.yml": "---\ngreeter_text: hello\n",
    "meta/argument_specs.yml": (
        "---\nargument_specs:\n  main:\n    short_description: Greeter\n    options:\n"
        "      greeter_text:\n        type: str\n        default: hello\n        description: What to say.\n"
    ),
    "files/greet.sh": "#!/bin/sh\necho hello\n",
}
USING = MANIFEST.replace("components:\n", 'components:\n  - name: greeter\n    text: "Good day"\n')


@pytest.fixture
def roles_dir(tmp_path: Path) -> Path:
    return write_roles(tmp_path / "roles")


def bring(mine: Path, recipe_id: str = "shop", role: str = "greeter", **files: str | None) -> Path:
    """Drop a recipe that uses a role of its own; returns the role's folder. None leaves a file out."""
    folder = drop(mine, recipe_id, USING.replace("greeter", role)).parent / "roles" / role
    for path, text in {**ROLE, **files}.items():
        if text is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text.replace("greeter", role))
    return folder


def problem(mine: Path, roles_dir: Path) -> str:
    [report] = Catalog.load([mine], roles_dir).reports()
    return "; ".join(map(str, report.problems))


def test_it_is_a_component_like_any_other_and_its_files_travel_along(tmp_path: Path, roles_dir: Path) -> None:
    bring(tmp_path / "mine")
    loaded = Catalog.load([tmp_path / "mine"], roles_dir)
    assert loaded.reports() == []
    recipe = loaded.get("shop")
    assert recipe.components[0].role.title == "Greeter"
    assert recipe.components[0].variables == {"greeter_text": "Good day"}
    assert recipe.own_roles == {"greeter": ROLE}


def test_a_change_in_it_is_seen(tmp_path: Path, roles_dir: Path) -> None:
    folder = bring(tmp_path / "mine")
    catalog([tmp_path / "mine"], roles_dir=roles_dir)
    (folder / "files/greet.sh").write_text("#!/bin/sh\necho bye\n")
    recipe = catalog([tmp_path / "mine"], roles_dir=roles_dir).get("shop")
    assert "bye" in recipe.own_roles["greeter"]["files/greet.sh"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"tasks/main.yml": None}, "roles/greeter/tasks/main.yml is missing"),
        ({"meta/argument_specs.yml": None}, "roles/greeter/meta/argument_specs.yml is missing"),
        ({"meta/argument_specs.yml": "a: [\n"}, "roles/greeter/meta/argument_specs.yml line 2: is not valid YAML"),
        ({"vars/main.yml": "greeter_packages: []"}, "lacks greeter_services, greeter_ports, greeter_report"),
        ({"vars/main.yml": "a: ["}, "roles/greeter/vars/main.yml is not valid YAML"),
        (
            {"meta/argument_specs.yml": ROLE["meta/argument_specs.yml"].replace("greeter_text", "text")},
            'has "text", which must begin with greeter_',
        ),
    ],
)
def test_what_is_wrong_is_reported_with_its_file(
    tmp_path: Path, roles_dir: Path, files: dict[str, str | None], said: str
) -> None:
    bring(tmp_path / "mine", **files)
    told = problem(tmp_path / "mine", roles_dir)
    assert "components[0].name: the role greeter cannot be read: " in told
    assert said in told


def test_files_that_are_no_text_or_lie_elsewhere_are_refused(tmp_path: Path, roles_dir: Path) -> None:
    folder = bring(tmp_path / "mine")
    (folder / "files/logo.png").write_bytes(b"\x89PNG\xff")
    assert "roles/greeter/files/logo.png is not UTF-8 text" in problem(tmp_path / "mine", roles_dir)
    (folder / "files/logo.png").unlink()
    (folder / "files/passwd").symlink_to("/etc/passwd")
    assert "roles/greeter/files/passwd is a link out of its folder" in problem(tmp_path / "mine", roles_dir)


def test_a_role_of_forgelab_cannot_be_replaced(tmp_path: Path, roles_dir: Path) -> None:
    bring(tmp_path / "mine")
    (tmp_path / "mine/shop/roles/nginx").mkdir()
    assert "roles/nginx: ForgeLab has a role nginx itself" in problem(tmp_path / "mine", roles_dir)


def test_a_plugins_folder_name_is_no_role(tmp_path: Path, roles_dir: Path) -> None:
    bring(tmp_path / "mine")
    (tmp_path / "mine/shop/roles/Not-A-Role").mkdir()
    assert "roles/Not-A-Role: must be up to 40 lowercase" in problem(tmp_path / "mine", roles_dir)


def test_two_recipes_may_share_a_role_only_if_it_is_the_same(tmp_path: Path, roles_dir: Path) -> None:
    bring(tmp_path / "mine", "blog")
    second = bring(tmp_path / "mine", "shop")
    assert set(Catalog.load([tmp_path / "mine"], roles_dir).recipes) == {"blog", "shop"}
    (second / "files/greet.sh").write_text("#!/bin/sh\necho another\n")
    assert "roles/greeter: the recipe blog brings another role of that name" in problem(tmp_path / "mine", roles_dir)
