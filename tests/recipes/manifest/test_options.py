from __future__ import annotations

import pytest
import yaml

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.manifest.loader import load_text
from forgelab.recipes.roles.spec import Roles

from ..helpers import load, manifest, messages, minimal, only_option, option, php


def test_a_wrong_default_says_what_is_allowed(roles: Roles) -> None:
    found = messages(roles, **minimal(config_options=[{"name": "php_version", "default": "7.4"}]))
    assert found == ['config_options[0].default: "7.4" is not one of 8.0, 8.1, 8.2, 8.3']


def test_an_option_that_nothing_uses_is_refused(roles: Roles) -> None:
    found = messages(roles, **minimal(config_options=[option()]))
    assert found == ['config_options[0].name: nothing uses "flavour"; use it in a when or as ${FLAVOUR}, or remove it']


def test_deciding_whether_another_option_applies_is_a_use(roles: Roles) -> None:
    other = {"name": "php_workers", "visible_if": {"flavour": "a"}}
    recipe = load_text(yaml.safe_dump(manifest(**minimal(config_options=[option(), other]))), roles)
    assert recipe.clean({"flavour": "b", "php_workers": 7}) == {"flavour": "b", "php_workers": 20}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"type": "selct"}, 'config_options[0].type: "selct" is not one of select, boolean, integer, string'),
        ({"options": []}, "config_options[0].options: must have at least one value"),
        ({"options": ["a", "a"]}, 'config_options[0].options[1]: "a" stands twice'),
        ({"options": ["a", 8.2]}, "config_options[0].options[1]: must be text, not a number"),
        ({"min": 1}, "config_options[0].min: is only for options of type integer"),
        ({"pattern": "x"}, "config_options[0].pattern: is only for options of type string"),
        ({"type": "string", "pattern": "("}, "config_options[0].pattern: is not a regular expression"),
        ({"type": "integer", "default": "3"}, "config_options[0].default: must be a whole number"),
        ({"type": "boolean", "default": "yes"}, "config_options[0].default: must be true or false"),
        ({"type": "integer", "default": 3, "min": 5, "max": 4}, "config_options[0].min: 5 is more than max, 4"),
        ({"type": "string", "default": "a\nb"}, "config_options[0].default: must be a single line"),
        ({"name": "Flavour"}, 'config_options[0].name: "Flavour" must be lowercase letters'),
        ({"name": "domain"}, 'config_options[0].type: must be "string": the option stands for ${DOMAIN}'),
        ({"visible_if": "flavour"}, "config_options[0].visible_if: must name another option"),
    ],
)
def test_a_wrong_option_says_what_is_allowed(roles: Roles, changes: dict[str, object], message: str) -> None:
    assert any(found.startswith(message) for found in only_option(roles, **changes)), only_option(roles, **changes)


def test_the_choices_of_a_roles_option_must_be_the_roles(roles: Roles) -> None:
    [message] = messages(roles, **minimal(config_options=[{"name": "php_version", "options": ["8.3", "9.0"]}]))
    assert message == 'config_options[0].options[1]: "9.0" is not one of 8.0, 8.1, 8.2, 8.3 (what php_version accepts)'


def test_an_option_cannot_inherit_a_default_that_the_role_works_out(roles: Roles) -> None:
    [message] = messages(roles, **minimal(config_options=[{"name": "php_auto"}]))
    assert message.startswith("config_options[0].default: is missing, and the role works out php_auto by itself")


def test_an_option_inherits_from_its_role(roles: Roles) -> None:
    changes = minimal(config_options=[{"name": "php_version"}, {"name": "php_memory_limit"}])
    version, memory = load_text(yaml.safe_dump(manifest(**changes)), roles).options
    assert (version.kind, version.values, version.default) == ("select", ("8.0", "8.1", "8.2", "8.3"), "8.3")
    assert version.choices[0].label == "PHP 8.0"
    assert (memory.kind, memory.label, memory.help) == ("string", "PHP memory limit", "Memory a request may use.")
    assert (memory.default, memory.group, memory.role) == ("256M", "PHP", "php")


def test_a_list_of_what_a_role_accepts_follows_the_role(roles: Roles) -> None:
    option = {"name": "more_php", "label": "More", "type": "string", "default": "", "list_of": "php_version"}
    recipe = load(roles, **minimal(components=[php(memory_limit="${MORE_PHP}")], config_options=[option]))
    assert recipe.clean({"more_php": "8.0, 8.3"})["more_php"] == "8.0, 8.3"
    with pytest.raises(ConfigInvalid, match="more_php"):
        recipe.clean({"more_php": "8.0, 8.9"})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"list_of": "php_versoin"}, 'did you mean "php_version"?'),
        ({"list_of": "php_version", "pattern": "x"}, "is only for options of type string without a pattern"),
    ],
)
def test_a_list_of_something_else_is_refused(roles: Roles, changes: dict[str, object], told: str) -> None:
    one = {"name": "more", "label": "More", "type": "string", "default": "", **changes}
    found = messages(roles, **minimal(config_options=[one]))
    assert any(message.startswith("config_options[0].list_of: ") and told in message for message in found), found
