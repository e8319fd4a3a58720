"""Which files are generated, and whether they are current."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from forgelab.recipes.docs.page import GENERATED, Page, Section, Table, code, markdown
from forgelab.recipes.docs.recipe import recipe_page
from forgelab.recipes.docs.role import role_page
from forgelab.recipes.docs.role_files import role_files
from forgelab.recipes.model import Recipe
from forgelab.recipes.roles.spec import load_role, load_roles
from forgelab.recipes.versions.distributions import Distributions

RECIPES, ROLES = Path("docs/recipes"), Path("roles")


def generated_files(recipes: Iterable[Recipe], roles_dir: Path) -> dict[Path, str]:
    """Every generated file of a checkout, and those of roles with generated values: path below the checkout to text."""
    recipes, loaded = list(recipes), load_roles(roles_dir)
    files = {RECIPES / "README.md": markdown(_index(recipes, roles_dir, loaded.distributions))}
    files |= {RECIPES / f"{recipe.id}.md": markdown(recipe_page(recipe)) for recipe in recipes}
    for role in _roles(roles_dir):
        files[ROLES / role.name / "README.md"] = markdown(_role(role))
        files |= {ROLES / role.name / path: text for path, text in role_files(role, loaded).items()}
    return files


def outdated(files: Mapping[Path, str], checkout: Path) -> list[Path]:
    """The files that are not as they should be, and those that should not be there any more."""
    wrong = [path for path, text in files.items() if _read(checkout / path) != text]
    left = [
        path.relative_to(checkout)
        for path in [*(checkout / RECIPES).glob("*.md"), *(checkout / ROLES).glob("*/README.md")]
        if path.relative_to(checkout) not in files and _read(path).startswith(GENERATED)
    ]
    return sorted(wrong + left)


def write(files: Mapping[Path, str], checkout: Path) -> list[Path]:
    """Bring the checkout up to date; returns what was changed."""
    changed = outdated(files, checkout)
    for path in changed:
        if path in files:
            (checkout / path).parent.mkdir(parents=True, exist_ok=True)
            (checkout / path).write_text(files[path], "utf-8")
        else:
            (checkout / path).unlink()
    return changed


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _roles(roles_dir: Path) -> list[Path]:
    return sorted(path.parent.parent for path in roles_dir.glob("*/meta/main.yml"))


def _about(role: Path) -> str:
    data = yaml.safe_load((role / "meta/main.yml").read_text("utf-8"))
    return str(data["galaxy_info"]["description"])


def _role(role: Path) -> Page:
    return role_page(load_role(role), _about(role))


def _index(recipes: list[Recipe], roles_dir: Path, distributions: Distributions) -> Page:
    about_recipes = Table(
        ("Server type", "Id", "What it is"),
        [(f"[{recipe.name}]({recipe.id}.md)", code(recipe.id), recipe.tagline) for recipe in recipes],
    )
    supported = Table(
        ("Distribution", "Releases", "Oldest"),
        [
            (each.title, ", ".join(f"{number} ({release})" for release, number in each.releases.items()), each.oldest)
            for each in distributions.values()
        ],
    )
    about_roles = Table(
        ("Role", "What it does"),
        [(f"[{code(role.name)}](../../roles/{role.name}/README.md)", _about(role)) for role in _roles(roles_dir)],
    )
    return Page(
        "Server types and roles",
        "What ForgeLab can set up, and the roles it is made of. [Recipes of your own](../own-recipes.md) are shown on "
        "the web pages and by `forgelab recipes show ID`.",
        (
            Section("Server types", table=about_recipes),
            Section("Distributions", text="What a device may run; newer releases are accepted.", table=supported),
            Section("Roles", table=about_roles),
        ),
    )
