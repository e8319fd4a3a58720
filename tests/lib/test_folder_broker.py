"""What the broker in a folder shows to others while it is writing."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection
from kombu.transport import filesystem

from forgelab import celery  # noqa: F401 - puts it in kombu's place
from forgelab.lib import folder_broker


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    folders = {
        "data_folder_in": str(tmp_path / "messages"), "data_folder_out": str(tmp_path / "messages"),
        "control_folder": str(tmp_path / "control"),
    }  # fmt: skip
    return Connection("filesystem://", transport_options=folders)


class Looked:
    """Part of a message that, when it is written, looks whether anybody could read it already."""

    def __init__(self, connection: Connection) -> None:
        self.channel = connection.channel()
        self.found: list[object] = []

    def __json__(self) -> str:
        with suppress(Empty):
            self.found.append(self.channel._get("jobs"))
        return "looked"


def test_celery_uses_it(connection: Connection) -> None:
    assert type(connection.transport) is folder_broker.Transport


def test_a_message_is_not_there_before_it_is_whole(connection: Connection) -> None:
    looked = Looked(connection)
    channel = connection.channel()
    channel._put("jobs", {"body": looked})
    assert looked.found == []
    assert channel._get("jobs") == {"body": "looked"}
    assert list(Path(channel.data_folder_in).iterdir()) == []


def test_a_message_goes_to_its_own_queue_in_the_order_of_writing(connection: Connection) -> None:
    channel = connection.channel()
    for queue, body in (("jobs", 1), ("other", 2), ("jobs.more", 3)):
        channel._put(queue, body)
    assert [channel._get(queue) for queue in ("jobs", "other", "jobs.more")] == [1, 2, 3]
    with pytest.raises(Empty):
        channel._get("jobs")


def test_the_list_of_queues_is_never_empty_text(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = connection.channel()
    read: list[str] = []
    lock = filesystem.lock

    def locked(file: object, flags: int) -> None:
        read.append((channel.control_folder / "news.exchange").read_text())
        lock(file, flags)

    monkeypatch.setattr(filesystem, "lock", locked)
    for queue in ("one", "two"):
        channel._queue_bind("news", "", "", queue)
    assert [json.loads(text) for text in read] == [[], [["", "", "one"]]]
    assert {row.queue for row in channel.get_table("news")} == {"one", "two"}
    assert [path.name for path in channel.control_folder.iterdir()] == ["news.exchange"]
