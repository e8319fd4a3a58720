"""The stream of a run's page: what `forgelab.runs.live.watch` reads as server-sent events of HTML."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html

from forgelab.runs.live import watch
from forgelab.runs.models import Run

HEARTBEAT = 15  # seconds without news after which a comment keeps the connection open
LONGEST = 600  # seconds after which a stream ends, so that the browser comes back and its session is looked at again
ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
FILLING = re.compile(r" \*{3,}$")  # Ansible's headings reach to the edge of a terminal


@login_not_required  # it answers 401 itself: a browser that waits for events follows no redirect to a page
async def stream(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Server-sent events from `Last-Event-ID` (or `?after=`) on, until the run has ended."""
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse("Log in first.", status=401)
    if not await Run.objects.filter(pk=run_id).aexists():
        # Not raised: Django would render its page in a thread whose database connection nobody closes.
        return HttpResponse("There is no such run.", status=404)
    last = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    after = int(last) if re.fullmatch("[0-9]{1,9}", last) else 0
    response = StreamingHttpResponse(sent(run_id, after), content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response


async def sent(run_id: UUID, after: int) -> AsyncIterator[str]:
    """The run's messages in the format of server-sent events, with a comment when there is no news for long."""
    messages = watch(run_id, after)
    upcoming: asyncio.Future[dict[str, Any]] | None = None
    panel = PanelChanges()
    until = time.monotonic() + LONGEST
    yield "retry: 1000\n\n"
    try:
        while time.monotonic() < until:
            upcoming = upcoming or asyncio.ensure_future(anext(messages))
            done, _ = await asyncio.wait([upcoming], timeout=HEARTBEAT)
            if not done:
                yield ": still here\n\n"
                continue
            try:
                message = upcoming.result()
            except StopAsyncIteration:
                return
            upcoming = None
            yield _frame(message, panel)
    finally:
        if upcoming:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        await messages.aclose()


def _frame(message: dict[str, Any], panel: PanelChanges) -> str:
    """One message: `log` with new lines, `panel` with the parts that changed, or `end`. The data is HTML for htmx."""
    name, html = "end", ""
    if message["event"] == "events":
        name, html = "log", render_to_string("web/runs/_log_lines.html", {"lines": log_lines(message["data"])})
    elif message["event"] == "snapshot":
        name, html = "panel", panel.render(message["data"])
    data = "".join(f"data: {line}\n" for line in html.replace("\r", "").split("\n"))
    return f"event: {name}\nid: {message['id']}\n{data}\n"


class PanelChanges:
    """The parts of a run's panel that differ from what this stream sent last, so that what stays is left alone.

    Each is swapped out of band by its id: the templates are the page's own.
    """

    def __init__(self) -> None:
        self._sent: set[str] = set()

    def render(self, snapshot: dict[str, Any]) -> str:
        parts = list(_parts(snapshot))
        changed = [part for part in parts if part not in self._sent]
        self._sent = set(parts)
        return "".join(changed)


def _parts(snapshot: dict[str, Any]) -> Iterator[str]:
    context = {"run": snapshot, "oob": True}
    yield format_html("<title>{}</title>", page_title(snapshot))
    yield format_html('<p id="announcement" hx-swap-oob="innerHTML">{}</p>', announcement(snapshot))
    for part in ("heading", "progress"):
        yield render_to_string(f"web/runs/_panel.html#{part}", context)
    for step in snapshot["steps"]:
        yield render_to_string("web/runs/_panel.html#step", context | {"step": step})


def page_title(snapshot: dict[str, Any]) -> str:
    active = snapshot["status"] in Run.ACTIVE
    state = f"{snapshot['percent']}%" if active else snapshot["status_label"]
    return f"{state} · {snapshot['title']} · ForgeLab"


def announcement(snapshot: dict[str, Any]) -> str:
    """One sentence for people who hear the page: the step now running, or how the run ended."""
    if snapshot["status"] not in Run.ACTIVE:
        return f"{snapshot['title']}: {snapshot['status_label']}."
    step = next((step for step in snapshot["steps"] if step["status"] == "running"), None)
    if step is None:
        return f"{snapshot['title']}: {snapshot['status_label']}."
    return f"{step['title']}, step {step['position']} of {step['count']}."


def log_lines(events: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Ansible's output line by line, without colour codes, each with its tone."""
    return [
        {"text": FILLING.sub("", line), "tone": _tone(event, line)}
        for event in events
        for line in ESCAPE_SEQUENCE.sub("", event["stdout"]).replace("\r", "").split("\n")
        if line.strip()
    ]


def _tone(event: dict[str, Any], line: str) -> str:
    if line.startswith(("PLAY", "TASK", "RUNNING HANDLER")):
        return "head"
    if event["failed"]:
        return "bad"
    return "changed" if event["changed"] else "plain"
