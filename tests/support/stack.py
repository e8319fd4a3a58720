"""A real ForgeLab for tests: `forgelab up` in a process of its own, driven by its command line and API."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from forgelab.lab import LabDevice

ROOT = Path(__file__).resolve().parents[2]
FORGELAB = [sys.executable, "-m", "forgelab.cli.main"]
START = 120  # seconds
USER, PASSWORD = "tester", "a-long-test-password-1"  # whom the stack makes, an owner
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would drown a failing test's report


class Stack:
    """ForgeLab with its own data folder, on a free port of `host`. `start` and `stop` it; `cli` and `api` use it."""

    def __init__(self, data_dir: Path, host: str = "127.0.0.1", **environment: str) -> None:
        self.data_dir = data_dir
        self.host, self.port = host, _free_port(host)
        self.url = f"http://{host}:{self.port}"
        self.log_path = data_dir / "stack.log"
        self.environment = {
            **os.environ,
            "FORGELAB_DATA_DIR": str(data_dir),
            "FORGELAB_RUNS_DIR": f"/dev/shm/forgelab-test-{self.port}",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.api = httpx.Client(base_url=f"{self.url}/api/v1/", timeout=30, trust_env=False)

    def start(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            command = [*FORGELAB, "up", "--no-open", "--host", self.host, "--port", str(self.port)]
            self._process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=log, stderr=log)
        wait_for(self._answers, START, "the web page answers")
        if "Authorization" not in self.api.headers:
            self.api.headers["Authorization"] = f"Token {self._token()}"

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/login/", timeout=10, trust_env=False, follow_redirects=True).status_code < 500
        except httpx.HTTPError:
            return False

    def _token(self) -> str:
        self.cli("user", "create", USER, "--password", PASSWORD, "--admin")
        return self.cli("token", "create", USER).stdout.split()[-1]

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=90)
        self._process = None
        shutil.rmtree(self.environment["FORGELAB_RUNS_DIR"], ignore_errors=True)

    def kill(self) -> None:
        """End everything as a power cut of the control machine would: no clean-up of any kind."""
        assert self._process
        self._process.kill()
        self._process.wait()
        self._process = None

    def child(self, name: str) -> int:
        """The pid of one of the stack's children: web, runs, tasks, watch."""
        return int(json.loads((self.data_dir / "forgelab.pid").read_text())["children"][name])

    def cli(self, *arguments: str, check: bool = True, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*FORGELAB, *arguments], env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=timeout
        )
        if check and done.returncode:
            raise AssertionError(
                f"forgelab {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @contextmanager
    def logged_in(self) -> Iterator[httpx.Client]:
        """The web pages, as the user that the stack made sees them."""
        with httpx.Client(base_url=self.url, trust_env=False, follow_redirects=True, timeout=30) as client:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/login/").text)[1]
            form = {"username": USER, "password": PASSWORD, "csrfmiddlewaretoken": token}
            client.post("/login/", data=form, headers={"Referer": f"{self.url}/login/"}).raise_for_status()
            assert "sessionid" in client.cookies
            yield client

    def add(self, device: LabDevice, key: Path, user: str = "root") -> str:
        """Add a lab device, its host keys accepted; the id that ForgeLab knows it by."""
        self.cli("device", "add", device.name, device.address, "--user", user, "--key", str(key), "--accept-key")
        rows = self.api.get("devices", params={"limit": 200}).raise_for_status().json()["results"]
        return next(row["id"] for row in rows if row["name"] == device.name)

    def provision(
        self, name: str, device_id: str, config: dict[str, Any] | None = None, server_type: str = "laravel-app-server"
    ) -> str:
        """Ask for a server; the run's id."""
        body = {"server_type": server_type, "name": name, "device_id": device_id, "config": config or {}}
        answer = self.api.post("infrastructure/provision", json=body)
        assert answer.status_code == 202, answer.text
        return re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", json.dumps(answer.json()["run"]))[0]

    def run(self, run_id: str) -> dict[str, Any]:
        return self.api.get(f"runs/{run_id}").raise_for_status().json()

    def wait_for_end(self, run_id: str, timeout: float = 1800) -> dict[str, Any]:
        """The run once it has ended, however it did."""
        wait_for(lambda: self.run(run_id)["finished_at"], timeout, f"run {run_id} ends")
        return self.run(run_id)

    def wait_for_step(self, run_id: str, role: str, timeout: float = 300) -> None:
        """Wait until the step of this role is running."""

        def is_running() -> bool:
            run = self.run(run_id)
            assert not run["finished_at"], f"the run ended before {role}: {run['status_detail']}"
            return any(step["role"] == role and step["status"] == "running" for step in run["steps"])

        wait_for(is_running, timeout, f"step {role} runs", every=0.1)


def wait_for(condition: Callable[[], Any], timeout: float, what: str, every: float | None = None) -> None:
    """Wait until `condition` is true; raises AssertionError saying `what` did not happen within `timeout` seconds.

    It is looked at `every` so many seconds; by default often at first, and once a second where it takes long.
    """
    begin = time.monotonic()
    while not condition():
        waited = time.monotonic() - begin
        if waited > timeout:
            raise AssertionError(f"not within {timeout} seconds: {what}")
        time.sleep(every or min(1, 0.1 + waited / 10))


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
