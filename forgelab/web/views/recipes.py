"""The documentation of a server type, made from its recipe as it is now."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from forgelab.recipes.docs import recipe_page
from forgelab.servers.catalog import recipe_catalog


@require_GET
def detail(request: HttpRequest, server_type: str) -> HttpResponse:
    """What it sets up, what it asks for, what it listens on."""
    recipe = recipe_catalog().recipes.get(server_type)
    if recipe is None:
        raise Http404(f"There is no server type {server_type}.")
    return render(request, "web/recipes/detail.html", {"recipe": recipe, "page": recipe_page(recipe, roles_link="")})
