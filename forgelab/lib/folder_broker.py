"""kombu's broker in a folder, mended: what others may read appears whole or not at all.

kombu 5.7 opens a message's file before it has written it, and the list of an exchange's queues likewise. A worker that
looks just then reads half a message, and ends.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """A channel whose files are written beside, under a name that nobody looks for, and then moved into place."""

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}"
        path = Path(self.data_folder_out, f"{name}.{queue}.msg")
        unfinished = path.with_name(f"{name}.unfinished")
        unfinished.write_text(dumps(message))  # type: ignore[no-untyped-call]
        unfinished.replace(path)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        table: Path = self._exchange_file(exchange)  # type: ignore[no-untyped-call]
        if not table.exists():
            empty = table.with_name(f"{uuid.uuid4()}.unfinished")
            empty.write_text("[]")
            try:
                os.link(empty, table)  # unlike a move, it leaves alone what another process was faster to make
            except FileExistsError:
                pass
            finally:
                empty.unlink()
        super()._queue_bind(exchange, routing_key, pattern, queue)  # type: ignore[no-untyped-call]


class Transport(filesystem.Transport):
    """For `kombu.transport.TRANSPORT_ALIASES`, in the place of kombu's own."""

    Channel = Channel
