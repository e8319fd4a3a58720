"""Servers: the list, one server, its credentials when asked for, and the success page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from forgelab.accounts.actors import from_request
from forgelab.servers import selectors
from forgelab.servers.credentials import server_reveal_credentials
from forgelab.web.permissions import needs
from forgelab.web.server_page import server_page
from forgelab.web.shortcuts import server_or_404


@require_GET
def server_list(request: HttpRequest) -> HttpResponse:
    return render(request, "web/servers/list.html", {"servers": selectors.server_list()})


@require_GET
@never_cache
def detail(request: HttpRequest, name: str) -> HttpResponse:
    return server_page(request, server_or_404(name))


@require_GET
@never_cache
def ready(request: HttpRequest, name: str) -> HttpResponse:
    """Step 5: what stands now and how to go on."""
    return server_page(request, server_or_404(name), "web/servers/ready.html")


@needs("server.reveal_credentials")
@require_POST
@never_cache
def credentials(request: HttpRequest, name: str) -> HttpResponse:
    """The secrets in clear: as JSON for the page's Show and Copy, as a page for browsers without JavaScript."""
    server = server_or_404(name)
    blocks = server_reveal_credentials(server=server, actor=from_request(request))
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"values": [field["value"] for block in blocks for field in block["fields"]]})
    return server_page(request, server, revealed=blocks)
