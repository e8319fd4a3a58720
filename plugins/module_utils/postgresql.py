"""A PostgreSQL cluster of this device and the one it follows, asked by PostgreSQL's programs (runs on the device)."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

SETTLED = 15  # looks, a fifth of a second apart, after which a stream is one that lasts


class Refused(Exception):
    """It cannot or must not be done; the text is a sentence with the way out."""


class Cluster:
    """The cluster `main` of one version on this device."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.unit = f"postgresql@{version}-main.service"
        self.programs = Path("/usr/lib/postgresql", version, "bin")
        self.log = Path(f"/var/log/postgresql/postgresql-{version}-main.log")

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of PostgreSQL's programs as the user postgres."""
        command = ["runuser", "-u", "postgres", "--", str(self.programs / program), *arguments]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment, cwd="/"
        )

    def ask(self, question: str, connection: str = "dbname=postgres") -> list[str]:
        """The columns of the answer's only row. Raises Refused with what PostgreSQL says."""
        done = self.run("psql", "-XAtw", "-F", "\t", "-c", question, connection)
        if done.returncode:
            raise Refused(done.stderr.strip())
        return done.stdout.rstrip("\n").split("\t")

    def data(self) -> Path | None:
        """Its data folder, also while it is stopped; None when it has not been made yet."""
        command = ["pg_conftool", "--short", self.version, "main", "show", "data_directory"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None
        return Path(done.stdout.strip()) if done.returncode == 0 else None

    def is_standby(self) -> bool:
        return self.ask("SELECT pg_is_in_recovery()") == ["t"]

    def systemctl(self, action: str) -> None:
        done = subprocess.run(["systemctl", action, self.unit], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(
                f"`systemctl {action} {self.unit}` failed: {done.stderr.strip()}\n{self.last_words()}".strip()
            )

    def last_words(self) -> str:
        """The log's last complaint."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-200:]
        except OSError:
            return ""
        found = [
            re.sub(r"^.*?(FATAL|ERROR|PANIC):\s*", "", line) for line in lines if re.search(r"FATAL|PANIC|ERROR", line)
        ]
        return found[-1] if found else ""


class Primary:
    """The cluster that is followed, asked through its replication protocol."""

    def __init__(self, cluster: Cluster, follow: dict) -> None:
        self.cluster, self.follow = cluster, follow
        self.connection = (
            f"host={follow['host']} port=5432 user={follow['user']} passfile={follow['passfile']} connect_timeout=10"
        )

    def ask(self, command: str) -> list[str]:
        return self.cluster.ask(command, f"{self.connection} dbname=postgres replication=true")

    def identify(self) -> tuple[str, int]:
        """Its system identifier, and how far its WAL has come, in bytes. Raises Refused."""
        try:
            system, _, position, _ = self.ask("IDENTIFY_SYSTEM")
        except Refused as problem:
            remedy = self.follow["remedy"] or (
                "Is PostgreSQL running there, does its postgresql_standby_networks name this device, and is the "
                f"password of {self.follow['user']} right?"
            )
            raise Refused(f"{self.follow['host']} does not let this device follow it: {problem}\n{remedy}") from None
        return system, bytes_of(position)

    def place(self) -> None:
        """A replication slot: the primary keeps from now on what this standby has not fetched yet."""
        try:
            self.ask(f'CREATE_REPLICATION_SLOT "{self.follow["slot"]}" PHYSICAL RESERVE_WAL')
        except Refused as problem:
            if "already exists" not in str(problem):
                raise


def bytes_of(position: str) -> int:
    """A position in the WAL (`16/B374D848`) as a number."""
    high, low = position.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def streams(cluster: Cluster, patience: float) -> bool:
    """Whether changes arrive within so many seconds."""
    cluster.ask("SELECT pg_reload_conf()")
    deadline = time.monotonic() + patience
    while not streams_now(cluster):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def streams_now(cluster: Cluster) -> bool:
    return cluster.ask("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == ["1"]


def keeps_streaming(cluster: Cluster, patience: float) -> bool:
    """The same, but not only for the moment that it takes to find that the two have gone different ways."""
    if not streams(cluster, patience):
        return False
    for _ in range(SETTLED):
        time.sleep(0.2)
        if not streams_now(cluster):
            return False
    return True
