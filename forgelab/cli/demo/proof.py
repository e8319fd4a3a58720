"""The proof that an App Server works: a page over HTTP whose PHP has written to and read from PostgreSQL and Redis."""

from __future__ import annotations

import json
import secrets
import shlex
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forgelab.devices import ssh
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.spec.server_spec import with_recipe

PAGE = Path(__file__).with_name("proof.php")
TIMEOUT = 15  # seconds
SERVICES = ("nginx", "supervisor", "cron")


class ProofFailed(Exception):
    """The server does not do what it should. The message says what was seen."""


@dataclass(frozen=True)
class Proof:
    """One thing that was seen to work."""

    what: str
    seen: str


def prove(server: Server) -> list[Proof]:
    """Ask the running server for proofs of each part. Raises `ProofFailed` at the first that fails."""
    return [*_prove_page(server), *_prove_services(server)]


def _prove_page(server: Server) -> list[Proof]:
    values = with_recipe(server, recipe_catalog().get(server.server_type)).resolved().values
    word = secrets.token_hex(8)
    # The credentials travel in the request, so that the page itself holds none.
    body = {
        "word": word,
        "host": "127.0.0.1",
        "database": values["DATABASE_NAME"],
        "user": values["DATABASE_USER"],
        "password": server.secrets["database_password"],
        "redis_password": server.secrets.get("redis_password", ""),
    }
    name = f"forgelab-proof-{secrets.token_hex(8)}.php"
    path = f"/var/www/{values['APP_NAME']}/current/public/{name}"
    put = f"umask 022; cat > {shlex.quote(path)} <<'FORGELAB_PAGE'\n{PAGE.read_text()}FORGELAB_PAGE\n"
    ssh.run_script(server.device, put, root=True)
    try:
        answer = _post(f"http://{server.device.address}/{name}", values["DOMAIN"], body)
    finally:
        ssh.run_script(server.device, f"rm -f {shlex.quote(path)}", root=True)
    if answer.get("postgresql") != word or answer.get("redis") != word or answer.get("sapi") != "fpm-fcgi":
        raise ProofFailed(f"The page answered, but not as it should: {answer}")
    return [
        Proof(f"nginx serves http://{server.device.address}/", "over HTTP, from this machine"),
        Proof(f"PHP {answer['php']}", f"ran the page under {answer['sapi']}"),
        Proof(f"PostgreSQL {answer['postgresql_version'].split()[0]}", f"wrote and read {word}"),
        Proof(f"Redis {answer['redis_version']}", f"wrote and read {word}"),
    ]


def _post(url: str, host: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Host": host, "Content-Type": "application/json"})  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a lab device is never behind a proxy
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            return dict(json.load(response))
    except urllib.error.HTTPError as error:
        raise ProofFailed(f"{url} answered {error.code}: {error.read(500).decode(errors='replace')}") from None
    except (OSError, ValueError) as error:
        raise ProofFailed(f"{url} gave no usable answer: {error}") from None


def _prove_services(server: Server) -> list[Proof]:
    states = ssh.run_script(server.device, f"systemctl is-active {' '.join(SERVICES)} || true", root=True).split()
    wrong = [f"{name} is {state}" for name, state in zip(SERVICES, states, strict=False) if state != "active"]
    if wrong or len(states) != len(SERVICES):
        raise ProofFailed(f"On {server.device.name}: {', '.join(wrong) or states}. Look with: systemctl status")
    return [Proof(name.capitalize(), "active") for name in SERVICES[1:]]
