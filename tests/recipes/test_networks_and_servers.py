"""Options that name networks and servers: their values, in the schema, in forms and in the API."""

from __future__ import annotations

import jsonschema
import pytest
from django.http import QueryDict

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.forms import recipe_form
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import Option
from forgelab.recipes.schema import recipe_json_schema
from forgelab.recipes.serializers import recipe_config_serializer

NETWORKS = Option("nets", "Networks", "networks", default=())


def errors(recipe: Recipe, **values: object) -> dict[str, str]:
    with pytest.raises(ConfigInvalid) as error:
        recipe.clean(values)
    return error.value.errors


@pytest.mark.parametrize(
    "given, kept",
    [
        (["192.168.1.0/24"], ["192.168.1.0/24"]),
        (["192.168.1.7", "192.168.1.7/32"], ["192.168.1.7/32"]),
        (["10.0.0.0/255.0.0.0"], ["10.0.0.0/8"]),
        (["2001:DB8::/32", "::1"], ["2001:db8::/32", "::1/128"]),
        ([], []),
    ],
)
def test_networks_become_canonical_and_stand_once(given: list[str], kept: list[str]) -> None:
    assert NETWORKS.clean(given) == kept


@pytest.mark.parametrize(
    "given, message",
    [
        ("10.0.0.0/8", "must be a list of networks such as 192.168.1.0/24 or 192.168.1.7, not text"),
        (["10.0.0.0/33"], '"10.0.0.0/33" is not a network; write an address or a network such as'),
        (["homelab"], '"homelab" is not a network'),
        (["192.168.1.7/24"], 'write "192.168.1.0/24" for all of it or "192.168.1.7/32"'),
        (["fe80::1%eth0"], "has a zone (%)"),
        ([7], "not a whole number"),
        (["10.0.0.0/8\n"], "is not a network"),
        (["10.0.0.1"] * 101, "has 101 items; 100 are allowed"),
    ],
)
def test_what_is_no_list_of_networks_is_refused(given: object, message: str) -> None:
    with pytest.raises(ValueError) as error:
        NETWORKS.clean(given)
    assert message in str(error.value)


def test_names_of_servers_are_names(shelf: Recipe, reader: Recipe) -> None:
    assert shelf.clean({"allowed_servers": ["a", "b-2", "a"]})["allowed_servers"] == ["a", "b-2"]
    assert errors(shelf, allowed_servers=["a", "B;"])["allowed_servers"].startswith('"B;" cannot be a server')
    assert errors(reader, shelf="../x")["shelf"].startswith('"../x" cannot be a server')
    assert errors(reader, shelf=["a"])["shelf"] == "must be a server's name, not a list"


def test_texts_are_split_at_commas(shelf: Recipe) -> None:
    texts = {"allowed_networks": "10.0.0.0/8, 192.168.1.0/24,,", "allowed_servers": "a,b"}
    config = shelf.clean_text(texts)
    assert config["allowed_networks"] == ["10.0.0.0/8", "192.168.1.0/24"]
    assert config["allowed_servers"] == ["a", "b"]


def test_a_list_is_no_part_of_another_config(shelf: Recipe) -> None:
    config = shelf.clean({})
    config["allowed_networks"].append("10.0.0.0/8")  # type: ignore[attr-defined]
    assert shelf.clean({})["allowed_networks"] == []


def test_a_hidden_server_is_not_named(reader: Recipe) -> None:
    assert reader.clean({"shelf": "books", "reading": False})["shelf"] == ""
    assert reader.clean({"shelf": "books"})["shelf"] == "books"


def test_the_schema_says_what_may_be_named(shelf: Recipe, reader: Recipe) -> None:
    properties = recipe_json_schema(shelf)["properties"]
    assert properties["allowed_networks"]["type"] == properties["allowed_servers"]["type"] == "array"
    assert properties["allowed_servers"]["x-server-types"] == ["reader"]
    assert properties["allowed_servers"]["x-visible-if"] == {"remote": [True]}
    assert properties["allowed_servers"]["description"] == "Only if remote is on."
    for recipe, good in ((shelf, {"allowed_networks": ["10.0.0.0/8"]}), (reader, {"shelf": "books"}), (reader, {})):
        jsonschema.validate(recipe.clean(good), recipe_json_schema(recipe))
    for recipe, bad in (
        (shelf, {"allowed_servers": ["B;"]}),
        (shelf, {"allowed_networks": "x"}),
        (reader, {"shelf": 1}),
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, recipe_json_schema(recipe))


def test_the_form_takes_networks_with_commas_and_offers_fitting_servers(shelf: Recipe, reader: Recipe) -> None:
    servers = [("books", "shelf"), ("one", "reader"), ("two", "reader")]
    form = recipe_form(shelf, servers=servers)(
        QueryDict(
            "remote=on&port=6000&engine=wood&allowed_networks=10.0.0.0/8,+::1&allowed_servers=one&allowed_servers=two"
        )
    )
    assert form.is_valid(), form.errors
    assert form.cleaned_data["allowed_networks"] == ["10.0.0.0/8", "::1/128"]
    assert form.cleaned_data["allowed_servers"] == ["one", "two"]
    offered = recipe_form(reader, servers=servers).base_fields["shelf"].choices  # type: ignore[attr-defined]
    assert offered == [("", "None"), ("books", "books")]
    shown = recipe_form(shelf, servers=servers)(initial={"allowed_networks": ["10.0.0.0/8", "::1/128"]})
    assert 'value="10.0.0.0/8, ::1/128"' in str(shown["allowed_networks"])


def test_a_server_that_is_gone_is_reported_at_its_field(reader: Recipe) -> None:
    form = recipe_form(reader, servers=[])({"reading": "on", "shelf": "books"})
    assert form.errors == {"shelf": ["There is no server books of a fitting type any more. Choose another one."]}


def test_a_wrong_network_is_reported_at_its_field(shelf: Recipe) -> None:
    form = recipe_form(shelf)({"remote": "on", "port": "1", "engine": "wood", "allowed_networks": "homelab"})
    assert form.errors["allowed_networks"][0].startswith('"homelab" is not a network')


def test_the_api_takes_lists_and_repeated_fields(shelf: Recipe) -> None:
    serializer = recipe_config_serializer(shelf)
    strict = serializer(data={"allowed_networks": ["10.0.0.0/8"]})
    assert strict.is_valid() and strict.validated_data["allowed_networks"] == ["10.0.0.0/8"]
    sent = serializer(data=QueryDict("allowed_servers=a&allowed_servers=b&allowed_networks=::1, 10.0.0.1"))
    assert sent.is_valid(), sent.errors
    assert sent.validated_data["allowed_servers"] == ["a", "b"]
    assert sent.validated_data["allowed_networks"] == ["::1/128", "10.0.0.1/32"]
    assert serializer().fields["allowed_networks"].default == []
