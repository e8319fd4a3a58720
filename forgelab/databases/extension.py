"""What this room adds to the changes of servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forgelab.databases import promotion, safety
from forgelab.databases.engines import ENGINES, POSTGRESQL
from forgelab.databases.promotion import REPLACES
from forgelab.runs.models import Run
from forgelab.runs.plan import PlannedRole
from forgelab.servers.extensions import Confirmation, ServerExtension
from forgelab.servers.models import Server
from forgelab.servers.spec.server_spec import ServerSpec


class DatabaseExtension(ServerExtension):
    """Promotions, fenced primaries, and data that nobody loses by accident."""

    def adjusted(self, spec: ServerSpec) -> ServerSpec:
        return promotion.promoted(spec)

    def check(self, spec: ServerSpec) -> None:
        promotion.check_replaced(spec)

    def roles(self, spec: ServerSpec, roles: Sequence[PlannedRole]) -> list[PlannedRole]:
        return promotion.with_fence(spec, roles)

    def data_lost(self, config: Mapping[str, Any], gone: Iterable[str]) -> list[str]:
        lost = [name for name in gone if name in ENGINES]
        replaced = [POSTGRESQL] if config.get(REPLACES) and POSTGRESQL not in lost else []
        return [*lost, *replaced]

    def check_loss(self, server: Server, lost: Sequence[str], confirmation: Confirmation) -> None:
        safety.check_loss(server, lost, confirmation)

    def outage(self, server: Server, reason: str) -> str:
        return promotion.replaced_sentence(server, reason) if server.replaced_by else ""

    def ended(self, server: Server, run: Run) -> None:
        if run.status == Run.Status.SUCCEEDED:
            promotion.provisioned(server, run)
        if server.status != Server.Status.PROVISIONING and server.config.get(REPLACES):  # allowed once, not for ever
            server.config = {**server.config, REPLACES: False}
