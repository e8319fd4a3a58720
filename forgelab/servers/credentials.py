"""Showing a server's credentials in clear, which leaves an entry in the audit."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.servers.models import Server
from forgelab.servers.selectors import server_credentials


@transaction.atomic
def server_reveal_credentials(*, server: Server, actor: Actor) -> list[dict[str, Any]]:
    """The credentials in clear, in blocks of labelled fields, for somebody who sees them now."""
    check(actor, "server.reveal_credentials", server)
    audit.record(actor=actor, action="server.reveal_credentials", obj=server)
    return server_credentials(server=server)
