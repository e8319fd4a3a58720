"""From a request to a change: the server as wanted, its plan, what goes away and what is reserved.

Plan, provision, reprovision, apply and decommission all take it from `change_for`, so that what is shown is what is
done. A change has stored nothing until it is applied, in the transaction that made it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.runs.kinds import RunKind
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.runs.services import run_create
from forgelab.servers import extensions
from forgelab.servers.changes import checks
from forgelab.servers.changes.plans import checked_decommission_plan, checked_plan
from forgelab.servers.changes.secrets import complete_secrets
from forgelab.servers.extensions import Confirmation
from forgelab.servers.kinds import DECOMMISSION, PROVISION
from forgelab.servers.models import Server
from forgelab.servers.placement.choice import placed
from forgelab.servers.plans.cleanup import surplus, with_removal
from forgelab.servers.spec.link_checks import check_links
from forgelab.servers.spec.requests import RemovalRequest, ServerRequest, wanted
from forgelab.servers.spec.server_spec import ServerSpec


@dataclass(frozen=True)
class Change:
    """A server on its way to `spec`, or away where that is None. `server` is its record, unsaved for a new one.

    `base` is the config in force, `gone` are the roles that the server has on the device and that leave it, `request`
    is what the run keeps of all this, in clear.
    """

    server: Server
    spec: ServerSpec | None
    plan: Plan
    base: Mapping[str, Any]
    gone: tuple[str, ...]
    request: Mapping[str, Any]

    @property
    def kind(self) -> RunKind:
        return PROVISION if self.spec else DECOMMISSION

    @property
    def reserved(self) -> dict[str, int]:
        """What is reserved on the device until the run has ended, in MiB: never less than before it runs so."""
        before = {field: getattr(self.server, field) for field in ("memory_mb", "storage_mb")}
        wanted = self.spec.reserved if self.spec else {}
        return {field: max(mb, wanted.get(field, 0)) for field, mb in before.items()}

    def check_applicable(self, confirmation: Confirmation) -> None:
        """What is asked of a change that is applied, not of one that is only planned.

        Raises `ValidationError` naming `device`, `confirm` or `without_backup`.
        """
        checks.check_colocated_idle(self.server, self.kind, self.request)
        extensions.check_loss(self.server, self.spec.config if self.spec else {}, self.gone, confirmation)

    def apply(self, actor: Actor, action: str) -> Run:
        """Store the server as wanted, with what is reserved for it, and queue the run that makes it so.

        The audit knows it as `action`.
        """
        before = {} if self.server._state.adding else self._audited()
        for field, value in self._stored().items():
            setattr(self.server, field, value)
        self.server.save()
        after = self._audited() | ({"gone": self.gone} if self.gone else {})
        audit.record(actor=actor, action=action, obj=self.server, before=before, after=after)
        return self.queue(self.plan, self.kind, actor)

    def _audited(self) -> dict[str, Any]:
        config = {f"config.{name}": value for name, value in self.server.config.items()}
        return audit.state(self.server, "server_type", "device", "environment", "status") | config

    def queue(self, plan: Plan, kind: RunKind, actor: Actor) -> Run:
        return run_create(
            plan=plan,
            kind=kind,
            device=self.server.device,
            subject=self.server,
            actor=actor,
            request=dict(self.request),
        )

    def _stored(self) -> dict[str, Any]:
        if self.spec is None:
            return {"status": Server.Status.DECOMMISSIONING, "status_detail": ""}
        return {
            "status": Server.Status.PROVISIONING,
            "environment": self.spec.environment,
            "config": dict(self.spec.config),
            "secrets": dict(self.spec.secrets),
            **self.reserved,
        }


def change_for(request: ServerRequest | RemovalRequest) -> Change:
    """What this request would change. Called in a transaction: it locks the devices, and the server if it exists.

    Raises `ValidationError` whose dictionary names `server_type`, `name`, `device`, `environment` or
    `config.<option>`.
    """
    if isinstance(request, RemovalRequest):
        return _removal(request)
    spec = wanted(request)
    checks.lock_devices()
    check_links(spec)
    server = _locked(spec.name)
    spec = _existing(server, spec, request) if server else placed(spec, request.device)
    spec = extensions.adjusted(dataclasses.replace(spec, secrets=complete_secrets(spec)))
    extensions.check(spec)
    server = server or _new(spec)
    plan = checked_plan(spec)
    gone, base = surplus(server, plan), server.config
    return Change(
        server,
        spec,
        with_removal(plan, server, purge=request.purge),
        base,
        tuple(gone),
        {"config": dict(spec.config), "base": base, "gone": gone},
    )


def _removal(request: RemovalRequest) -> Change:
    checks.lock_devices()
    server = Server.objects.select_for_update(of=("self",)).select_related("device").get(pk=request.server.pk)
    checks.check_idle(server)
    checks.check_unused(server)
    gone = {*server.managed, *server.components.values_list("name", flat=True)}
    plan = checked_decommission_plan(server, purge=request.purge)
    return Change(server, None, plan, server.config, tuple(sorted(gone)), {"name": server.name, "purge": request.purge})


def _locked(name: str) -> Server | None:
    return Server.objects.select_for_update(of=("self",)).select_related("device").filter(name=name).first()


def _existing(server: Server, spec: ServerSpec, request: ServerRequest) -> ServerSpec:
    checks.check_same(server, request)
    checks.check_idle(server)
    spec = dataclasses.replace(
        spec,
        environment=request.environment or server.environment,
        secrets=server.secrets or {},
        server=server,
        device=server.device,
        placement=server.placement,
    )
    checks.check_obstacle(server, spec)
    checks.check_reserved(server, spec)
    return spec


def _new(spec: ServerSpec) -> Server:
    return Server(
        name=spec.name, server_type=spec.recipe.id, device=spec.device, placement=dict(spec.placement), secrets={}
    )
