"""What the devices of these tests have told, and a look into plans."""

from __future__ import annotations

from forgelab.runs.models import Run
from forgelab.runs.plan import Plan, PlannedRole

MANAGED = {
    "nginx": {"units": ["nginx.service"], "files": ["/etc/nginx/nginx.conf"], "directories": ["/var/www/laravel"]},
    "redis": {"units": ["redis-server.service"], "files": ["/etc/redis/forgelab.conf", "/usr/local/lib/shared"],
              "directories": []},
    "supervisor": {"units": ["supervisor.service"], "files": ["/usr/local/lib/shared"], "directories": []},
    "postgresql": {"units": ["postgresql.service"], "files": [], "directories": []},
    "firewall": {"ports": ["22/tcp", "80/tcp", "6379/tcp"]},
}  # fmt: skip
INSTALLED = {"redis": ["redis-server"], "nginx": ["nginx", "logrotate"]}


def planned(run: Run, name: str) -> PlannedRole | None:
    return next((role for role in Plan.from_json(run.plan).roles if role.name == name), None)


def names(run: Run) -> list[str]:
    return [role.name for role in Plan.from_json(run.plan).roles]
