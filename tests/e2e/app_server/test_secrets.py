"""No secret lies in clear anywhere after a run: database, logs, broker, memory, processes, the device itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forgelab.lab import Lab, LabDevice
from tests.support.stack import Stack, wait_for

pytestmark = pytest.mark.lab
# Where a device may keep its own services' passwords: only there, and readable by those services only.
RIGHTFUL = {"/etc/redis/forgelab-secret.conf"}


@pytest.fixture(scope="module")
def secrets(stack: Stack, provisioned: dict, lab: Lab) -> list[str]:
    shown = stack.api.get(f"infrastructure/servers/{provisioned['subject_id']}/credentials").raise_for_status().json()
    blocks = shown.get("credentials", shown) if isinstance(shown, dict) else shown
    values = [field["value"] for block in blocks for field in block["fields"] if field["secret"]]
    assert values
    assert all(len(value) >= 16 for value in values)
    body = [line for line in lab.key_path.read_text().splitlines() if not line.startswith("-----")]
    return [*values, body[1]]


def files_with(folder: Path, secrets: list[str]) -> Iterator[tuple[Path, str]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            try:
                content = path.read_bytes()
            except FileNotFoundError:  # gone meanwhile
                continue
            yield from ((path, secret[:4]) for secret in secrets if secret.encode() in content)


def test_nothing_that_forgelab_keeps_holds_a_secret(stack: Stack, secrets: list[str]) -> None:
    # The data folder holds the database with its journal, the broker's messages, the log and the beat schedule.
    assert list(files_with(stack.data_dir, secrets)) == []


def test_the_search_would_find_one(stack: Stack, secrets: list[str], tmp_path: Path) -> None:
    (tmp_path / "leak").write_text(f"x{secrets[0]}y")
    assert [path.name for path, _ in files_with(tmp_path, secrets)] == ["leak"]


def test_nothing_of_the_run_is_left_in_memory(stack: Stack, secrets: list[str]) -> None:
    runs = Path(stack.environment["FORGELAB_RUNS_DIR"])
    assert not runs.exists() or list(runs.iterdir()) == []

    def left() -> list[tuple[Path, str]]:
        """The lab's key, which opens all its devices, may lie where another ForgeLab's run is going on meanwhile."""
        found = files_with(Path("/dev/shm"), secrets)
        return [
            (path, secret)
            for path, secret in found
            if not path.parts[3].startswith(("forgelab-test-", "forgelab-demo-"))
        ]

    wait_for(lambda: left() == [], 60, "nothing is left in memory")


def test_no_process_shows_a_secret_in_its_arguments(secrets: list[str]) -> None:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        assert not any(secret in arguments for secret in secrets), entry


def test_events_and_lists_show_no_secret(stack: Stack, provisioned: dict, secrets: list[str]) -> None:
    run = f"runs/{provisioned['id']}"
    for path in (f"{run}/events?limit=1000", run, "runs", "infrastructure/servers", "devices"):
        text = stack.api.get(path).raise_for_status().text
        assert not any(secret in text for secret in secrets), path


def test_on_the_device_only_the_services_own_files_hold_them(device: tuple[LabDevice, str], secrets: list[str]) -> None:
    places = "/etc /var/log /tmp /var/tmp /root /home /run /var/www /opt /usr/local"
    for secret in secrets[:-1]:  # the last one is the lab's own key, which is no secret of the device
        found = device[0].exec(["grep", "-rlsaF", "--", secret, *places.split()], check=False).stdout.split()
        assert set(found) <= RIGHTFUL
        for path in found:
            mode = device[0].exec(["stat", "-c", "%a", path]).stdout.strip()
            assert mode.endswith("0"), f"{path} is readable by everybody ({mode})"


def test_the_journal_of_the_device_holds_none(device: tuple[LabDevice, str], secrets: list[str]) -> None:
    journal = device[0].exec(["journalctl", "--no-pager", "-o", "cat"]).stdout
    assert journal
    assert not any(secret in journal for secret in secrets)
