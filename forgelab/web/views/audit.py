"""Who did what."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from forgelab.accounts import selectors
from forgelab.accounts.audit import titles
from forgelab.lib.paging import BoundedPaginator
from forgelab.web.permissions import needs

PAGE = 50


@needs("audit.view")
@require_GET
def audit_list(request: HttpRequest) -> HttpResponse:
    """All entries, or those of an actor, an action or an object."""
    chosen = {name: request.GET.get(name, "").replace("\0", "") for name in ("actor", "action", "obj")}
    page = BoundedPaginator(selectors.audit_list(**chosen), PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {"page": page, "chosen": chosen, "actions": sorted(titles()), "query": query.urlencode()}
    return render(request, "web/audit/list.html", context)
