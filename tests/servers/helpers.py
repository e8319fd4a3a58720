"""What the devices of these tests have told, a look into plans, and devices as they are ranked for a recipe."""

from __future__ import annotations

from forgelab.runs.models import Run
from forgelab.runs.plan import Plan, PlannedRole
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.placement import ranking
from forgelab.servers.spec.server_spec import draft

MANAGED = {
    "nginx": {"units": ["nginx.service"], "files": ["/etc/nginx/nginx.conf"], "directories": ["/var/www/laravel"]},
    "redis": {"units": ["redis-server.service"], "files": ["/etc/redis/forgelab.conf", "/usr/local/lib/shared"],
              "directories": []},
    "supervisor": {"units": ["supervisor.service"], "files": ["/usr/local/lib/shared"], "directories": []},
    "postgresql": {"units": ["postgresql.service"], "files": [], "directories": []},
    "firewall": {"ports": ["22/tcp", "80/tcp", "6379/tcp"]},
}  # fmt: skip
INSTALLED = {"redis": ["redis-server"], "nginx": ["nginx", "logrotate"]}
# The manifest of a small type that needs 4 GB.
FOUR = """\
id: {id}
name: "{id}"
server_type: web_server
requirements:
  memory: {{minimum: 4GB, recommended: 4GB}}
  storage: {{minimum: 1GB}}
components:
  - name: {role}
"""


def planned(run: Run, name: str) -> PlannedRole | None:
    return next((role for role in Plan.from_json(run.plan).roles if role.name == name), None)


def names(run: Run) -> list[str]:
    return [role.name for role in Plan.from_json(run.plan).roles]


def recipe(name: str = "laravel-app-server"):
    return recipe_catalog().get(name)


def ranked(kind: str = "laravel-app-server", **known):
    return ranking.placement_rank(draft(recipe(kind), **known))
