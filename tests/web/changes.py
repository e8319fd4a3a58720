"""Parts of tests about servers that are changed: the form as a browser sends it, and a plan that has ended."""

from __future__ import annotations

from django.utils import timezone

from forgelab.devices.models import Device
from forgelab.runs.models import Event, Run
from forgelab.servers.models import Server
from tests import factories

PAGE = "/servers/laravel-production/"


def managed_server(device: Device) -> Server:
    """A server with a database and a cache that ForgeLab put there."""
    made = factories.server(device)
    made.managed = {"redis": {"units": ["redis-server.service"]}, "postgresql": {"units": ["postgresql.service"]}}
    made.save()
    return made


def answers(server: Server, **changes: object) -> dict[str, object]:
    """The form of the options as a browser sends it."""
    config = {**server.config, **changes}
    return {
        name: "on" if value is True else value for name, value in config.items() if value is not False and value != []
    }


def finished(run: Run, *files: str) -> Run:
    for counter, path in enumerate(files, start=1):
        Event.objects.create(
            run=run, counter=counter, kind="runner_on_ok", role="nginx", task="Configure", changed=True,
            result={"changed_files": [path], "diff": [{"path": path, "text": "-<b>old</b>\n+new\n"}]},
            created_at=timezone.now(),
        )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(status="succeeded", finished_at=timezone.now())
    run.refresh_from_db()
    return run
