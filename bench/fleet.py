"""The collector and a fleet of fake devices: `python -m bench.fleet serve`, or `collect DEVICES TICKS`, as JSON.

All fake devices are one SSH server on loopback in a process of its own, so that its work is not counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

INTERVAL = 60.0  # seconds


async def serve(key: str) -> None:
    import asyncssh

    from tests.devices.metrics.ssh_server import FakeDevice, public_text

    fake = await FakeDevice(asyncssh.import_private_key(key)).start()
    print(json.dumps({"port": fake.port, "host_key": public_text(fake.host_key)}), flush=True)
    await asyncio.Event().wait()


async def collect(place: dict[str, Any], key: str, count: int, ticks: int) -> list[dict[str, Any]]:
    from forgelab.devices.metrics import store
    from forgelab.devices.metrics.collector import Collector

    collector = Collector(INTERVAL)
    await collector._ask(lambda: _add(place, key, count))
    done = []
    for _ in range(ticks):
        began, cpu = time.time(), time.process_time()
        collector.devices = await collector._ask(store.devices_to_ask)
        looks = await collector.tick(began)
        before = time.perf_counter()
        await collector._ask(lambda looks=looks, at=began: store.write(datetime.fromtimestamp(at, UTC), looks))
        written = time.perf_counter() - before
        done.append({
            "answered": sum(look.figures is not None for look in looks), "cpu": time.process_time() - cpu,
            "write": written, "pss": _pss(), "connections": len(collector.connections),
        })  # fmt: skip
    return done


def _pss() -> float:
    from forgelab.cli.stack.kernel import memory_mb

    return round(memory_mb(os.getpid()) or 0.0, 1)


def _add(place: dict[str, Any], key: str, count: int) -> None:
    from forgelab.devices.models import Device, Identity

    identity = Identity.objects.create(name="bench", private_key=key, public_key="")
    Device.objects.bulk_create(
        Device(
            name=f"bench-{n}", address="127.0.0.1", port=place["port"], host_keys=place["host_key"], identity=identity
        )
        for n in range(count)
    )


def main(arguments: list[str]) -> None:
    key = Path(os.environ["FLEET_KEY"]).read_text()
    if arguments[0] == "serve":
        asyncio.run(serve(key))
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forgelab.settings")
    import logging

    import django
    from django.core.management import call_command

    django.setup()
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    call_command("migrate", interactive=False, verbosity=0)
    print(json.dumps(asyncio.run(collect(json.loads(os.environ["FLEET_PLACE"]), key, *map(int, arguments[1:3])))))


if __name__ == "__main__":
    main(sys.argv[1:])
