"""Every role says the same in defaults/main.yml, meta/argument_specs.yml and meta/main.yml."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from .helpers import ROLES

NAMES = sorted(path.parent.parent.name for path in ROLES.glob("*/meta/main.yml"))
WITH_TASKS = [name for name in NAMES if (ROLES / name / "tasks/main.yml").exists()]
MORE = "# What follows are no options of a recipe. Override them in the inventory where a device differs."
TYPES = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict, "float": (int, float, str), "path": str}


def load(role: str, path: str) -> Any:
    return yaml.safe_load((ROLES / role / path).read_text())


def options(role: str) -> dict[str, Any]:
    return load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


@pytest.mark.parametrize("role", WITH_TASKS)
def test_the_spec_and_the_defaults_are_equal(role: str) -> None:
    text, _, rest = (ROLES / role / "defaults/main.yml").read_text().partition(MORE)
    assert {name: option.get("default") for name, option in options(role).items()} == yaml.safe_load(text)
    more = yaml.safe_load(rest) or {}
    assert all(name.startswith(f"{role}_") for name in more), more
    assert not options(role).keys() & more.keys()


@pytest.mark.parametrize("role", WITH_TASKS)
def test_packages_and_services_can_be_overridden_in_the_inventory(role: str) -> None:
    fixed = load(role, "vars/main.yml") if (ROLES / role / "vars/main.yml").exists() else {}
    assert not {f"{role}_{name}" for name in ("packages", "services", "ports", "report", "checks")} & fixed.keys()


@pytest.mark.parametrize("role", WITH_TASKS)
def test_every_option_has_a_type_and_help_and_the_prefix_of_its_role(role: str) -> None:
    for name, option in options(role).items():
        assert name.startswith(f"{role}_"), name
        assert option["description"].endswith("."), name
        default = option["default"]
        templated = isinstance(default, str) and "{{" in default
        assert templated or isinstance(default, TYPES[option["type"]]), name
        assert templated or default in option.get("choices", [default]), name


@pytest.mark.parametrize("role", WITH_TASKS)
def test_every_default_has_a_comment(role: str) -> None:
    before = ""
    commented = False
    for line in (ROLES / role / "defaults/main.yml").read_text().partition(MORE)[0].splitlines():
        if line.startswith("#"):
            commented = True
        elif line and not line.startswith((" ", "-")):
            assert commented or before.strip(), f"{role}: {line}"
        elif not line:
            commented = False
        before = line


@pytest.mark.parametrize("role", NAMES)
def test_every_role_is_described_and_licensed(role: str) -> None:
    about = load(role, "meta/main.yml")["galaxy_info"]
    assert about["license"] == "MIT"
    assert about["description"]


@pytest.mark.parametrize("role", WITH_TASKS)
def test_no_variable_of_another_role_is_read(role: str) -> None:
    own = (ROLES / role).rglob("*")
    texts = [path.read_text() for path in own if path.suffix in (".yml", ".j2", ".tmpl")]
    for other in set(WITH_TASKS) - {role}:
        for name in options(other):
            read = re.compile(rf"(?<![\w.]){name}\b")  # a module may be called the same: community.mysql.mysql_user
            assert not any(map(read.search, texts)), f"{role} reads {name}"
