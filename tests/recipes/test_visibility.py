"""`visible_if`: options that apply only with others, in values, schema and forms."""

from __future__ import annotations

import jsonschema
import pytest
import yaml

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.forms import recipe_form
from forgelab.recipes.manifest.loader import load_text
from forgelab.recipes.model import Recipe
from forgelab.recipes.roles.spec import Roles
from forgelab.recipes.schema import recipe_json_schema
from forgelab.recipes.serializers import recipe_config_serializer

from .helpers import manifest, messages, minimal

CHAIN = [
    {"name": "cache", "type": "select", "options": ["redis", "none"], "default": "redis"},
    {"name": "remote", "type": "boolean", "default": False, "visible_if": {"cache": "redis"}},
    {"name": "peer", "type": "server", "visible_if": "remote"},
    {"name": "nets", "type": "networks", "visible_if": {"peer": True}},
    {"name": "size", "type": "integer", "min": 5, "visible_if": {"cache": ["none"]}},
]
SHOWN = {"type": "message", "message": "${PEER} ${NETS} ${SIZE}"}
FULL = {"cache": "redis", "remote": True, "peer": "books", "nets": ["10.0.0.0/8"], "size": 5}


@pytest.fixture(scope="module")
def chain(roles: Roles) -> Recipe:
    return load_text(yaml.safe_dump(manifest(**minimal(config_options=CHAIN, post_install=[SHOWN]))), roles)


def test_what_applies_is_kept(chain: Recipe) -> None:
    assert chain.clean(FULL | {"size": 9}) == FULL


@pytest.mark.parametrize(
    "changes, gone",
    [
        ({"remote": False}, {"remote": False, "peer": "", "nets": []}),
        ({"cache": "none"}, {"cache": "none", "remote": False, "peer": "", "nets": []}),
    ],
)
def test_what_is_hidden_has_its_default_down_the_chain(chain: Recipe, changes: dict, gone: dict) -> None:
    cleaned = chain.clean(FULL | changes)
    assert cleaned == FULL | gone
    assert chain.clean(cleaned) == cleaned


def test_an_option_without_default_is_needed_only_where_it_applies(chain: Recipe) -> None:
    assert chain.clean({}) == {"cache": "redis", "remote": False, "peer": "", "nets": [], "size": 5}
    with pytest.raises(ConfigInvalid) as error:
        chain.clean({"remote": True})
    assert error.value.errors == {"peer": "is needed: a server's name"}
    with pytest.raises(ConfigInvalid) as error:
        chain.clean({"cache": "none"})
    assert error.value.errors == {"size": "is needed: a whole number"}


def test_a_hidden_value_must_still_be_one(chain: Recipe) -> None:
    with pytest.raises(ConfigInvalid) as error:
        chain.clean({"peer": "No Name"})
    assert list(error.value.errors) == ["peer"]


@pytest.mark.parametrize(
    "config, fits",
    [
        ({}, True),
        (FULL, True),
        ({"remote": True}, False),
        ({"remote": True, "peer": "books"}, True),
        ({"remote": True, "cache": "none"}, False),  # the size is needed then
        ({"remote": True, "cache": "none", "size": 7}, True),
        ({"cache": "none"}, False),
    ],
)
def test_the_schema_knows_what_is_needed_when(chain: Recipe, config: dict, fits: bool) -> None:
    schema = recipe_json_schema(chain)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(config) is fits
    assert fits is recipe_config_serializer(chain)(data=config).is_valid()
    assert "required" not in schema
    assert schema["properties"]["peer"]["x-visible-if"] == {"remote": [True]}


def test_the_form_asks_only_for_what_applies(chain: Recipe) -> None:
    form = recipe_form(chain, servers=[("books", "shelf")])
    assert form({"cache": "redis", "size": ""}).is_valid()
    shown = form({"cache": "redis", "remote": "on", "size": ""})
    assert shown.errors == {"peer": ["Must not be empty"]}
    assert form({"cache": "none", "size": ""}).errors == {"size": ["Is needed: a whole number"]}


def test_a_description_says_when_it_applies(chain: Recipe) -> None:
    assert recipe_config_serializer(chain)().fields["remote"].help_text == "Only if cache is redis."


def test_options_must_not_depend_on_each_other_in_a_circle(roles: Roles) -> None:
    options = [
        {"name": "a", "type": "boolean", "default": True, "visible_if": "b"},
        {"name": "b", "type": "boolean", "default": True, "visible_if": "c"},
        {"name": "c", "type": "boolean", "default": True, "visible_if": "a"},
        {"name": "d", "type": "boolean", "default": True, "visible_if": "a"},
    ]
    found = messages(roles, **minimal(config_options=options))
    assert "config_options[0].visible_if: comes back to a itself by way of b, c" in found
    assert not any("config_options[3].visible_if" in each for each in found)
