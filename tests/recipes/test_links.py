"""Options that name networks and servers, and what recipes tell each other."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from django.http import QueryDict

from forgelab.recipes.catalog import Catalog
from forgelab.recipes.context import standard_context
from forgelab.recipes.forms import recipe_form
from forgelab.recipes.loader import load_text
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import Option
from forgelab.recipes.placeholders import fill_all
from forgelab.recipes.problems import ConfigInvalid
from forgelab.recipes.resolve import Linked, ResolvedRecipe, publish, resolve
from forgelab.recipes.rolespec import Roles, load_roles
from forgelab.recipes.schema import recipe_json_schema
from forgelab.recipes.serializers import recipe_config_serializer

from .helpers import messages, minimal, write_roles
from .linking import READER, ROLES, SHELF

NETWORKS = Option("nets", "Networks", "networks", default=())
SECRET = {"database_password": "s3cret{{ }}"}
LINK = Linked(
    {"address": "10.1.2.3", "port": "6000", "database": "books", "password": "s3cret", "material": "soft wood"},
    frozenset({"password"}),
)


@pytest.fixture(scope="module")
def own_roles(tmp_path_factory: pytest.TempPathFactory) -> Roles:
    return load_roles(write_roles(tmp_path_factory.mktemp("roles"), ROLES))


@pytest.fixture(scope="module")
def shelf(own_roles: Roles) -> Recipe:
    return load_text(SHELF, own_roles)


@pytest.fixture(scope="module")
def reader(own_roles: Roles) -> Recipe:
    return load_text(READER, own_roles)


def resolved(recipe: Recipe, links: dict[str, Linked], **config: object) -> ResolvedRecipe:
    secrets = {secret.name: SECRET[secret.name] for secret in recipe.secrets}
    return resolve(recipe, recipe.clean(config), standard_context("mine"), secrets, links)


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


def test_lists_keep_their_type_and_flow_into_lists() -> None:
    typed = {"A": ["x", "y"], "B": []}
    assert fill_all({"lone": "${A}", "all": ["${A}", "z", "${B}", ["${A}"]]}, {}, typed) == {
        "lone": ["x", "y"],
        "all": ["x", "y", "z", ["x", "y"]],
    }


def test_networks_and_servers_together_become_the_roles_list(shelf: Recipe) -> None:
    links = {"allowed_servers": Linked({"addresses": ["10.78.0.12/32"]})}
    config = {"allowed_networks": ["192.168.1.0/24"], "allowed_servers": ["reader"], "port": 6000}
    [component] = resolved(shelf, links, **config).components
    assert component.variables == {"shelf_allowed": ["192.168.1.0/24", "10.78.0.12/32"], "shelf_port": 6000}
    assert component.secret_variables == {"shelf_password": SECRET["database_password"]}


def test_without_links_nobody_is_allowed(shelf: Recipe) -> None:
    assert resolved(shelf, {}).components[0].variables["shelf_allowed"] == []


def test_a_server_publishes_its_connection_and_which_of_it_is_secret(shelf: Recipe) -> None:
    told = publish(shelf, {"port": 6000}, standard_context("books-production"), SECRET)
    assert told.values == {
        "port": 6000,
        "database": "books_production",
        "password": SECRET["database_password"],
        "material": "soft wood",
    }
    assert told.secrets == {"password"}
    assert publish(shelf, {"engine": "steel"}, standard_context("a"), SECRET).values["material"] == "hard"


def test_a_linked_server_fills_the_components(reader: Recipe) -> None:
    [component] = resolved(reader, {"shelf": LINK}, shelf="books").components
    assert component.variables == {
        "reader_port": 6000,
        "reader_address": "10.1.2.3",
        "reader_url": "shelf://10.1.2.3:6000/books?",
        "reader_connections": [{"name": "books", "port": "6000", "material": "soft wood"}],
    }


def test_a_secret_of_another_server_stays_one(reader: Recipe) -> None:
    result = resolved(reader, {"shelf": LINK}, shelf="books")
    assert result.components[0].secret_variables == {"reader_passwords": {"shelf": "s3cret"}}
    assert "s3cret" not in repr((result.components[0].variables, result.values, result.messages))
    [credentials] = result.credentials
    assert (credentials.fields[0].value, credentials.secret_fields) == ("s3cret", {"Password"})
    assert result.messages[0].message == "Reads from books at 10.1.2.3.\n"


def test_a_secret_inside_a_text_makes_it_one(own_roles: Roles) -> None:
    recipe = load_text(READER.replace("?${SHELF_COLOUR}", "?${SHELF_PASSWORD}"), own_roles)
    [component] = resolved(recipe, {"shelf": LINK}, shelf="books").components
    assert component.secret_variables["reader_url"] == "shelf://10.1.2.3:6000/books?s3cret"


def test_what_is_not_chosen_is_empty(reader: Recipe) -> None:
    [component] = resolved(reader, {}).components
    assert component.variables["reader_connections"] == []
    assert component.secret_variables["reader_passwords"] == {"shelf": ""} or component.variables


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


def test_a_server_that_is_gone_is_told_at_its_field(reader: Recipe) -> None:
    form = recipe_form(reader, servers=[])({"reading": "on", "shelf": "books"})
    assert form.errors == {"shelf": ["There is no server books of a fitting type any more. Choose another one."]}


def test_a_wrong_network_is_told_at_its_field(shelf: Recipe) -> None:
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


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("${SHELF_PORT}/", "${SHELFPORT}/", "components[0].url: ${SHELFPORT} is not a known placeholder"),
        ("server_types: [shelf]", "server_types: [Shelf]", "config_options[1].server_types[0]"),
        ('default: "", visible_if', "default: books, visible_if", "config_options[1].default: must be empty"),
        ("Reads from ${SHELF}", "Reads ${SHELF_PORT}", "post_install[0].message: must not use ${SHELF_PORT}: what"),
        ("when: shelf}", "when: {shelf: books}}", "must be true (some are named) or false (none), not 'books'"),
    ],
)
def test_a_wrong_link_is_refused(own_roles: Roles, old: str, new: str, message: str) -> None:
    assert old in READER
    found = messages(own_roles, READER.replace(old, new))
    assert any(message in each for each in found), found


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            'port: "${PORT}"\n    password',
            'port: "${ALLOWED_NETWORKS}"\n    password',
            "components[0].port: must be int",
        ),
        (
            'password: "${DATABASE_PASSWORD}"\nconfig',
            'password: "${ALLOWED_NETWORKS}"\nconfig',
            "but ${ALLOWED_NETWORKS}",
        ),
        (
            'allowed: ["${ALLOWED_NETWORKS}", "${ALLOWED_SERVERS_ADDRESSES}"]',
            'allowed: "${PORT}"',
            "must be a list, or",
        ),
        ("  material:", "  address: x\n  material:", "publishes.address: is known of every server by itself"),
        ("  material:", "  Wrong-Name: x\n  material:", 'publishes.Wrong-Name: "Wrong-Name" must be'),
        ('database: "${DATABASE_NAME}"', 'database: "${NOPE}"', "publishes.database: ${NOPE} is not a known"),
        ("when: {engine: wood}", "when: {engine: iron}", "publishes.material[0].when: engine: "),
        ('database: "${DATABASE_NAME}"', 'database: "${ALLOWED_SERVERS_ADDRESSES}"', "must not pass on"),
    ],
)
def test_a_wrong_list_or_publication_is_refused(own_roles: Roles, old: str, new: str, message: str) -> None:
    assert old in SHELF
    found = messages(own_roles, SHELF.replace(old, new))
    assert any(message in each for each in found), found


def test_a_recipe_remembers_what_it_reads_of_others(reader: Recipe) -> None:
    assert {(read.option, read.name) for read in reader.reads} == {
        ("shelf", name) for name in ("port", "database", "colour", "material", "password")
    }
    assert "components[0].passwords" in {read.path for read in reader.reads}


def test_server_types_are_for_options_that_name_servers(roles: Roles) -> None:
    changes = minimal(config_options=[{"name": "x", "type": "boolean", "default": True, "server_types": ["a"]}])
    assert "config_options[0].server_types: is only for options of type server or servers" in messages(roles, **changes)


def in_a_folder(folder: Path, **texts: str) -> Catalog:
    for name, text in texts.items():
        (folder / "recipes" / name).mkdir(parents=True)
        (folder / "recipes" / name / "manifest.yaml").write_text(text)
    return Catalog.load([folder / "recipes"], write_roles(folder / "roles", ROLES))


def test_what_nobody_publishes_cannot_be_read(tmp_path: Path) -> None:
    loaded = in_a_folder(tmp_path, shelf=SHELF, reader=READER)
    assert list(loaded.recipes) == ["shelf"]
    [[problem]] = loaded.problems.values()
    assert (problem.path, problem.message) == (
        "components[0].url",
        "${SHELF_COLOUR} is never known: no shelf publishes colour; they publish database, material, password, port",
    )


def test_what_is_published_can_be_read_and_of_a_missing_recipe_nothing_is_known(tmp_path: Path) -> None:
    good = READER.replace("?${SHELF_COLOUR}", "")
    assert set(in_a_folder(tmp_path / "both", shelf=SHELF, reader=good).recipes) == {"shelf", "reader"}
    assert set(in_a_folder(tmp_path / "alone", reader=READER).recipes) == {"reader"}
