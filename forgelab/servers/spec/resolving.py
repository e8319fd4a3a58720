"""From a server to its recipe with every choice made."""

from __future__ import annotations

from collections.abc import Mapping

from forgelab.recipes.context import standard_context
from forgelab.recipes.model import Recipe
from forgelab.recipes.resolve import Linked, ResolvedComponent, ResolvedRecipe, resolve, resolve_component
from forgelab.servers.models import Server

Links = Mapping[str, Linked]


def resolved_recipe(server: Server, recipe: Recipe, links: Links | None = None) -> ResolvedRecipe:
    """The server's recipe with its config, names and secrets filled in. Raises `ConfigInvalid` for an unfit config.

    A recipe may have changed since: an option that it no longer has is passed over, a new secret is empty until the
    server is provisioned again. `links` are what is known of the servers that its options name.
    """
    config, secrets = _chosen(server, recipe)
    return resolve(recipe, config, standard_context(server.name), secrets, links or {})


def resolved_component(
    server: Server, recipe: Recipe, name: str, links: Links | None = None
) -> ResolvedComponent | None:
    """One of its components, also where the server's config does not bring it in. Raises as `resolved_recipe`."""
    config, secrets = _chosen(server, recipe)
    return resolve_component(recipe, name, config, standard_context(server.name), secrets, links or {})


def _chosen(server: Server, recipe: Recipe) -> tuple[dict[str, object], dict[str, str]]:
    known = {option.name for option in recipe.options}
    config = {name: value for name, value in server.config.items() if name in known}
    return config, {secret.name: (server.secrets or {}).get(secret.name, "") for secret in recipe.secrets}
