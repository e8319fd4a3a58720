"""What is generated says what is declared, reads as Markdown, and is current in this checkout."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from forgelab.recipes.catalog import catalog
from forgelab.recipes.docs import Page, Section, Table, files, markdown, recipe_page, role_page
from forgelab.recipes.model import Recipe
from forgelab.recipes.roles.spec import Roles, load_role

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.parent.parent.name for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))


@pytest.fixture(scope="module")
def generated() -> dict[Path, str]:
    built_in = catalog(roles_dir=ROOT / "roles")
    assert built_in.reports() == []
    return files.generated_files(built_in.recipes.values(), ROOT / "roles")


def test_a_recipes_page_shows_everything_it_declares(recipe: Recipe) -> None:
    page = markdown(recipe_page(recipe))
    assert "# Small Server\n" in page
    assert "| Memory | 2 GB | 4 GB |" in page
    assert "| Redis | [`redis`](../../roles/redis/README.md) | the distribution's | `include_redis` is on |" in page
    database = "[`postgresql`](../../roles/postgresql/README.md)"
    assert f"| PostgreSQL | {database} | 15 | `database_engine` is `postgresql` |" in page
    assert "| `php_workers` | php_workers | number | `20` | 1 to 100 |" in page.replace("PHP workers", "php_workers")
    assert "`8.1` (supported until 2025-12-31), `8.2` (supported until 2026-12-31)" in page
    assert "encrypted: Database password." in page
    assert "| Database Credentials | Host, Password | `database_engine` is `postgresql` |" in page
    assert '- Greet: `echo ${DOMAIN} && echo "$${HOME}"`' in page


def test_a_roles_page_shows_every_variable(roles: Roles) -> None:
    page = markdown(role_page(roles.specs["postgresql"]))
    assert "| `postgresql_version` | str | `'15'` | `15`, `16` |" in page
    assert "| `postgresql_password` | str, secret | `''` |" in page
    assert 'postgresql_password: "{{ vault_postgresql_password }}"' in page


def test_the_keys_of_a_lists_items_are_reported(tmp_path: Path) -> None:
    page = markdown(role_page(load_role(ROOT / "roles/firewall")))
    assert "| `firewall_allowed[].port` | str | (must be given) |" in page


def test_what_would_break_a_table_is_escaped() -> None:
    table = Table(("A", "B"), [("a|b\nc", "")])
    text = markdown(Page("Title", "", (Section("S", table=table),)))
    assert "| a\\|b c |" in text
    assert "B" not in text  # a column that is empty throughout


@pytest.mark.parametrize("role", NAMES)
def test_every_variable_of_every_role_is_in_its_readme(role: str, generated: dict[Path, str]) -> None:
    spec = yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    page = generated[Path("roles") / role / "README.md"]
    for name, option in spec["options"].items():
        assert f"| `{name}` | " in page
        assert option["description"].strip().replace("|", "\\|") in page


@pytest.mark.parametrize("role", NAMES)
def test_the_example_of_every_role_is_a_playbook(role: str, generated: dict[Path, str], tmp_path: Path) -> None:
    text = generated[Path("roles") / role / "README.md"]
    [play] = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    assert play["roles"] == [{"role": f"forgelab.homelab.{role}"}]
    assert set(play.get("vars", {})) <= set(load_role(ROOT / "roles" / role).options)


def test_ansible_understands_the_examples(generated: dict[Path, str], tmp_path: Path) -> None:
    texts = [generated[Path("roles") / role / "README.md"] for role in NAMES]
    playbook = tmp_path / "all.yml"
    playbook.write_text("---\n" + "\n".join(text.split("```yaml\n")[1].split("```")[0] for text in texts))
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "--syntax-check",
        "-i",
        "device,",
        str(playbook),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_links_lead_somewhere(generated: dict[Path, str]) -> None:
    for path, text in generated.items():
        for link in re.findall(r"\]\(([^)#]+)", re.sub(r"`[^`\n]*`", "code", text)):
            target = (ROOT / path).parent / link
            known = target.resolve().relative_to(ROOT) in generated
            assert known or target.exists(), f"{path}: {link}"


def test_what_is_generated_here_is_current(generated: dict[Path, str]) -> None:
    assert files.outdated(generated, ROOT) == [], "run `make docs`"


def test_what_is_not_current_is_named_and_mended(tmp_path: Path, recipe: Recipe) -> None:
    wanted = {files.RECIPES / "small-server.md": markdown(recipe_page(recipe))}
    left = tmp_path / files.RECIPES / "gone.md"
    left.parent.mkdir(parents=True)
    left.write_text(markdown(Page("Gone", "")))
    (left.parent / "by-hand.md").write_text("# Mine")
    both = [files.RECIPES / "gone.md", files.RECIPES / "small-server.md"]
    assert files.outdated(wanted, tmp_path) == both
    assert files.write(wanted, tmp_path) == both
    assert files.outdated(wanted, tmp_path) == []
    assert (left.parent / "by-hand.md").exists()
