"""The end of a provisioning: what stands now, and how to use it; or what failed, and the way out."""

from __future__ import annotations

from typing import Any

from rich.panel import Panel
from rich.text import Text

from forgelab.accounts.actors import from_shell
from forgelab.cli.base import console
from forgelab.cli.drawing import Snapshot
from forgelab.cli.lookup import short
from forgelab.servers import selectors
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.credentials import server_reveal_credentials
from forgelab.servers.models import Server


def success(server: Server, *, hide_credentials: bool) -> None:
    """The specification's step 5: components with versions, credentials, next steps."""
    recipe = recipe_catalog().recipes.get(server.server_type)
    lines = [
        f"Server: {server.name}",
        f"Device: {server.device.name}",
        f"IP Address: {server.device.address}",
        "",
        "Installed Components:",
        *(f"• {component}" for component in server.components.all()),
        *credential_lines(server, hide=hide_credentials),
        *(line for item in selectors.server_messages(server=server) for line in ["", *_message(item)]),
    ]
    _print("\n".join(lines), f"✅ {recipe.name if recipe else server.server_type} Ready!")


def _message(item: dict[str, str]) -> list[str]:
    return [f"{item['title']}:", *item["message"].strip().splitlines()]


def credential_lines(server: Server, *, hide: bool = False) -> list[str]:
    """The credentials' blocks; with `hide`, how to see the secret ones."""
    lines: list[str] = []
    hidden = f"[hidden; forgelab server credentials {server.name}]"
    blocks = selectors.server_credentials(server=server) if hide else _revealed(server)
    for block in blocks:
        fields = [
            f"{field['label']}: {hidden if hide and field['secret'] else field['value']}" for field in block["fields"]
        ]
        lines += ["", f"{block['title']}:", *fields]
    return lines


def _revealed(server: Server) -> list[dict[str, Any]]:
    return server_reveal_credentials(server=server, actor=from_shell())


def _print(text: str, title: str) -> None:
    out = console()
    if out.is_terminal:
        out.print(Panel(Text(text), title=title, border_style="green", expand=False, padding=(1, 2)))
    else:
        out.print(f"\n{title}\n\n{text}")


def failure(snapshot: Snapshot) -> str:
    """Why the run did not succeed, with the failing task's message and what to do."""
    lines = [f"{snapshot['title']} on {snapshot['device']['name']}: {snapshot['status_label'].lower()}."]
    for step in snapshot["steps"]:
        if step["status"] == "failed":
            lines += [f"{step['title']} failed: {step['detail']}" if step["detail"] else f"{step['title']} failed."]
    if snapshot["status_detail"] and snapshot["status_detail"] not in "\n".join(lines):
        lines.append(snapshot["status_detail"])
    lines.append(
        f"Look at it with `forgelab run show {short(snapshot['id'])}`; provisioning may be repeated at any time."
    )
    return "\n".join(lines)
