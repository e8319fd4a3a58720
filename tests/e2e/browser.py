"""A real browser and a real ASGI server for tests, in this process so that tests can write what a worker would."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright

from forgelab.asgi import application
from forgelab.runs.models import Event, Run, Step
from forgelab.servers.models import Server

expect.set_options(
    timeout=30_000
)  # as long as Playwright waits for everything else; its 5 s are short on a busy machine
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists(), reason=f"no browser here: {CHROMIUM} is missing (apt install chromium)"
    ),
]


class Site:
    """The web pages under a real address. `stop` and `start` it again to cut every connection."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = uvicorn.Config(application, port=self.port, log_level="error", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            assert time.monotonic() < deadline, "the web server did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=60)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def log_in(page: Page, site: Site, name: str, password: str) -> None:
    page.goto(f"{site.url}/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site.url}/")


class Worker:
    """Writes to the database what a worker would write, without a device."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.counter = 0

    def begin(self, role: str) -> None:
        self._store(status=Run.Status.RUNNING, started_at=timezone.now())
        self.run.steps.filter(role=role).update(status=Step.Status.RUNNING)

    def finish(self, role: str, seconds: float) -> None:
        self.run.steps.filter(role=role).update(status=Step.Status.SUCCEEDED, seconds=seconds)
        self.say(f"changed: [{role}]")

    def say(self, line: str) -> None:
        self.counter += 1
        Event.objects.create(
            run=self.run, counter=self.counter, kind="runner_on_ok", stdout=line, created_at=timezone.now()
        )
        self._store(last_counter=self.counter)

    def end(self, status: str, detail: str = "") -> None:
        active = Server.Status.ACTIVE if status == Run.Status.SUCCEEDED else Server.Status.FAILED
        Server.objects.filter(pk=self.run.subject_id).update(status=active)
        self._store(status=status, status_detail=detail, finished_at=timezone.now())

    def _store(self, **changes: object) -> None:
        Run.objects.filter(pk=self.run.pk).update(**changes)
