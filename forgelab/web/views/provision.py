"""The provisioning wizard's first steps: type and options. What was chosen travels in the address, so Back works."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from forgelab.accounts.actors import from_request
from forgelab.accounts.policy import may
from forgelab.recipes.model import Recipe
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.web.errors import UNPROCESSABLE
from forgelab.web.forms.options import OptionsForm, options_form
from forgelab.web.forms.servers import NameForm
from forgelab.web.permissions import needs

Forms = tuple[NameForm, OptionsForm]


@require_GET
def types(request: HttpRequest) -> HttpResponse:
    """Step 1: which server type."""
    catalog = recipe_catalog()
    folder = settings.RECIPES_DIR if may(from_request(request), "admin.use") else None
    context = {"recipes": catalog.recipes.values(), "reports": catalog.reports(), "folder": folder}
    return render(request, "web/provision/types.html", context)


@needs("server.provision")
@require_GET
def configure(request: HttpRequest, server_type: str) -> HttpResponse:
    """Step 2: its name and options. Coming back from step 3, everything is filled in as it was."""
    recipe = recipe_or_404(server_type)
    if "name" in request.GET:
        return show_forms(request, recipe, chosen_forms(request, recipe))
    server = Server.objects.filter(name=request.GET.get("server", ""), server_type=recipe.id).first()
    name = server.name if server else f"{recipe.id.split('-')[0]}-production"
    environment = server.environment if server else Server.Environment.PRODUCTION
    names = NameForm(initial={"name": name, "server_environment": environment})
    return show_forms(request, recipe, (names, options_form(recipe)(initial=server.config if server else {})))


@needs("server.provision")
@require_GET
def fields(request: HttpRequest, server_type: str) -> HttpResponse:
    """The fields that depend on others, for htmx: shown or not, with their errors where the page shows errors."""
    form_class = options_form(recipe_or_404(server_type))
    form = form_class(request.GET)
    if "checked" not in request.GET:
        form = form_class(initial={field.name: field.data for field in form})
    return render(request, "web/_options.html#dependent", {"options": form})


def show_forms(request: HttpRequest, recipe: Recipe, forms: Forms) -> HttpResponse:
    wrong = any(form.is_bound and not form.is_valid() for form in forms)
    context = {"recipe": recipe, "names": forms[0], "options": forms[1], "wrong": wrong}
    return render(request, "web/provision/configure.html", context, status=UNPROCESSABLE if wrong else 200)


def recipe_or_404(server_type: str) -> Recipe:
    recipe = recipe_catalog().recipes.get(server_type)
    if recipe is None:
        raise Http404(f"There is no server type {server_type}.")
    return recipe


def chosen_forms(request: HttpRequest, recipe: Recipe) -> Forms:
    """The forms with everything chosen so far, which the address holds."""
    return NameForm(request.GET), options_form(recipe)(request.GET)


def step_url(request: HttpRequest, view: str, recipe: Recipe) -> str:
    """The address of a step with everything chosen so far."""
    chosen = request.GET.copy()
    chosen.pop("analyzed", None)
    return f"{reverse(view, args=[recipe.id])}?{chosen.urlencode()}"
