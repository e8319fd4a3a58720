"""The kinds of run that change a server, or say how it would change."""

from __future__ import annotations

from forgelab.runs.kinds import Page, RunKind

SUBJECT = "servers.Server"
CHANGING = frozenset({"server.provision", "server.decommission"})
SERVER = Page("server_detail", "Show the server", lambda run: [run.subject.name])

PROVISION = RunKind(
    name="server.provision",
    label="Provision",
    subject=SUBJECT,
    doing="provisioned",
    result=Page("server_ready", "Show the server", lambda run: [run.subject.name]),
    failure=Page(
        "server_provision_configure",
        "Reprovision",
        lambda run: [run.subject.server_type],
        lambda run: {"server": run.subject.name},
    ),
    conflicts=CHANGING,
    device_conflicts=CHANGING,
    removes=lambda request: bool(request.get("gone")),
    after_cancel="Provisioning again later completes what is missing.",
    in_wizard=True,
)
PLAN = RunKind(
    name="server.plan",
    label="Plan",
    subject=SUBJECT,
    doing="planned",
    result=Page("run_plan", "Show what would change", lambda run: [run.pk]),
    failure=SERVER,
    conflicts=CHANGING,
)
DECOMMISSION = RunKind(
    name="server.decommission",
    label="Decommission",
    subject=SUBJECT,
    doing="decommissioned",
    result=Page("server_list", "Show all servers", of_subject=False),
    failure=SERVER,
    conflicts=CHANGING,
    device_conflicts=CHANGING,
    removes=lambda request: True,
)
