"""A version, an extension, a distribution: each is declared in one place, and one edit there reaches everything."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from forgelab.api.server_types.serializers import ServerTypeSerializer
from forgelab.recipes.catalog import BUILT_IN, Catalog
from forgelab.recipes.docs import files
from forgelab.recipes.forms import recipe_form
from forgelab.recipes.model import Recipe
from forgelab.recipes.schema import recipe_json_schema
from forgelab.recipes.serializers import recipe_config_serializer
from matrix import cases
from matrix.checks.php import modules

ROOT = Path(__file__).resolve().parents[2]
PHP_SERVERS = ("laravel-app-server", "laravel-web-server", "laravel-worker-server")
NEEDED = {"laravel-worker-server": {"database_server": "books", "include_cache": False}}
TODAY = date(2026, 11, 29)


@dataclass
class Copy:
    """A copy of the roles and the catalogue."""

    folder: Path

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert text.count(old) == 1
        (self.folder / path).write_text(text.replace(old, new))

    def load(self) -> Catalog:
        loaded = Catalog.load([self.folder / "catalog"], self.folder / "roles")
        assert loaded.reports() == []
        return loaded

    def generated(self) -> dict[Path, str]:
        return files.generated_files(self.load().recipes.values(), self.folder / "roles")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    shutil.copytree(ROOT / "roles", tmp_path / "roles")
    shutil.copytree(BUILT_IN, tmp_path / "catalog")
    return Copy(tmp_path)


def choices(recipe: Recipe, option: str) -> dict[str, str]:
    return dict(recipe_form(recipe, TODAY).base_fields[option].choices)  # type: ignore[attr-defined]


def notes(recipe: Recipe, option: str) -> dict[str, str]:
    """What the form shows below the choices, by their labels."""
    found: dict[str, str] = recipe_form(recipe, TODAY).base_fields[option].notes  # type: ignore[attr-defined]
    return found


def php_cases(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The PHP of every case of the matrix that has one."""
    releases = cases.releases(catalog.roles)
    monkeypatch.setattr(cases, "RELEASES", releases)
    monkeypatch.setattr(cases, "CARRIED", {release: cases.carried(catalog.roles, release) for release in releases})
    return {case.id: case.config["php_version"] for case in cases.made() if "php_version" in case.config}


class TestANewPhpVersion:
    """Which Debian 13 would carry."""

    @pytest.fixture
    def copy(self, copy: Copy) -> Copy:
        line = '    "8.4": {supported_until: "2028-12-31", sources: [trixie, '
        added = '    "8.6": {supported_until: "2030-12-31", sources: [trixie, vendor]}\n'
        copy.edit("roles/php/meta/forgelab.yml", line, added + line.replace("trixie, ", ""))
        return copy

    @pytest.mark.parametrize("server_type", PHP_SERVERS)
    def test_is_in_form_and_api(self, copy: Copy, server_type: str) -> None:
        recipe = copy.load().get(server_type)
        assert choices(recipe, "php_version")["8.6"] == "PHP 8.6"
        shown = "supported until 2030-12-31, from Debian 13 or deb.sury.org"
        assert notes(recipe, "php_version")["PHP 8.6"] == shown
        described = recipe_json_schema(recipe)["properties"]["php_version"]
        assert "8.6" in described["enum"]
        assert described["x-choices"][described["enum"].index("8.6")]["sources"] == ["Debian 13", "deb.sury.org"]
        sent = {**NEEDED.get(server_type, {}), "php_version": "8.6"}
        assert recipe_config_serializer(recipe)(data=sent).is_valid()
        assert not recipe_config_serializer(recipe)(data={**sent, "php_version": "8.7"}).is_valid()

    def test_can_be_one_of_several(self, copy: Copy) -> None:
        recipe = copy.load().get("laravel-app-server")
        assert recipe.clean({"extra_php_versions": "8.2, 8.6"})["extra_php_versions"] == "8.2, 8.6"
        assert not recipe_config_serializer(recipe)(data={"extra_php_versions": "8.7"}).is_valid()

    def test_is_documented_and_accepted_by_the_role_itself(self, copy: Copy) -> None:
        generated = copy.generated()
        for server_type in PHP_SERVERS:
            assert "`8.6` (supported until 2030-12-31)" in generated[Path(f"docs/recipes/{server_type}.md")]
        spec = yaml.safe_load(generated[Path("roles/php/meta/argument_specs.yml")])["argument_specs"]["main"]
        assert ArgumentSpecValidator(spec["options"]).validate({"php_version": "8.6"}).error_messages == []
        defaults = yaml.safe_load(generated[Path("roles/php/defaults/main.yml")])
        assert defaults["php_distribution_versions"]["trixie"] == "8.6"

    def test_is_in_the_matrix(self, copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
        found = php_cases(copy.load(), monkeypatch)
        assert found["app-13-postgresql"] == found["web-13-default"] == found["worker-13-workers"] == "8.6"


class TestANewPhpExtension:
    @pytest.fixture
    def copy(self, copy: Copy) -> Copy:
        copy.edit("roles/php/defaults/main.yml", "intl, bcmath]", "intl, bcmath, soap]")
        return copy

    @pytest.mark.parametrize("server_type", PHP_SERVERS)
    def test_is_in_api_and_documentation(self, copy: Copy, server_type: str) -> None:
        recipe = copy.load().get(server_type)
        shown: Any = ServerTypeSerializer(recipe).data
        assert "soap" in next(each["parts"] for each in shown["components"] if each["name"] == "php")
        generated = copy.generated()
        assert "bcmath, soap" in generated[Path(f"docs/recipes/{server_type}.md")]  # where the form's link leads
        spec = yaml.safe_load(generated[Path("roles/php/meta/argument_specs.yml")])["argument_specs"]["main"]
        assert spec["options"]["php_extensions"]["default"][-1] == "soap"

    def test_is_looked_for_by_the_matrix(self, copy: Copy) -> None:
        assert "soap" in modules(copy.load().roles)


class TestANewDistribution:
    @pytest.fixture
    def copy(self, copy: Copy) -> Copy:
        copy.edit("roles/preflight/meta/forgelab.yml", 'trixie: "13"}', 'trixie: "13", forky: "14"}')
        return copy

    def test_is_in_form_and_api(self, copy: Copy) -> None:
        recipe = copy.load().get("laravel-app-server")
        assert "Debian 13 or Debian 14" in notes(recipe, "php_version")["PHP 8.4"]
        described = recipe_json_schema(recipe)["properties"]["php_version"]["x-choices"]
        assert "Debian 14" in next(each for each in described if each["value"] == "8.4")["sources"]

    def test_is_documented_and_on_galaxy(self, copy: Copy) -> None:
        generated = copy.generated()
        assert "12 (bookworm), 13 (trixie), 14 (forky)" in generated[Path("docs/recipes/README.md")]
        about = yaml.safe_load(generated[Path("roles/nginx/meta/main.yml")])["galaxy_info"]
        assert about["platforms"][0]["versions"] == ["bookworm", "trixie", "forky"]

    def test_is_in_the_matrix(self, copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
        assert php_cases(copy.load(), monkeypatch)["app-14-postgresql"] == "8.4"


def test_what_is_not_supported_any_more_is_refused_by_the_preflight(copy: Copy) -> None:
    copy.edit("roles/preflight/meta/forgelab.yml", 'bookworm: "12", ', "")
    defaults = yaml.safe_load(copy.generated()[Path("roles/preflight/defaults/main.yml")])
    assert defaults["preflight_distributions"] == {"debian": "13", "raspbian": "13", "ubuntu": "22.04"}


def test_a_title_is_declared_once(copy: Copy) -> None:
    copy.edit("roles/mariadb/meta/forgelab.yml", "title: MariaDB", "title: Maria")
    recipe = copy.load().get("database-server")
    assert choices(recipe, "database_engine")["mariadb"] == "Maria"
    assert {component.name: component.role.title for component in recipe.components}["mariadb"] == "Maria"
    generated = copy.generated()
    assert "short_description: Maria\n" in generated[Path("roles/mariadb/meta/argument_specs.yml")]
    assert yaml.safe_load(generated[Path("roles/mariadb/defaults/main.yml")])["mariadb_report"]["title"] == "Maria"
    assert "# Maria (`mariadb`)" in generated[Path("roles/mariadb/README.md")]
