"""What recipes tell each other: what a server publishes, and what another one's components get of it."""

from __future__ import annotations

from forgelab.recipes.context import standard_context
from forgelab.recipes.manifest.loader import load_text
from forgelab.recipes.model import Recipe
from forgelab.recipes.placeholders import fill_all
from forgelab.recipes.resolve import Linked, ResolvedRecipe, publish, resolve
from forgelab.recipes.roles.spec import Roles

from .linking import READER

SECRET = {"database_password": "s3cret{{ }}"}
LINK = Linked(
    {"address": "10.1.2.3", "port": "6000", "database": "books", "password": "s3cret", "material": "soft wood"},
    frozenset({"password"}),
)


def resolved(recipe: Recipe, links: dict[str, Linked], **config: object) -> ResolvedRecipe:
    secrets = {secret.name: SECRET[secret.name] for secret in recipe.secrets}
    return resolve(recipe, recipe.clean(config), standard_context("mine"), secrets, links)


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
    assert component.secret_variables["reader_passwords"] == {"shelf": ""}
