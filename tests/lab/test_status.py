from __future__ import annotations

from types import SimpleNamespace

from forgelab.lab.status import status_row, table


def device(**values):
    group = SimpleNamespace(memory_used=lambda: 75 * 2**20)
    base = {"name": "web1", "address": "10.78.0.10", "image": "bookworm", "state": "on", "is_on": True}
    base["config"] = SimpleNamespace(source="")
    return SimpleNamespace(group=group, **{**base, "memory": 2**31, "cpus": 1.5, **values})


def test_a_row_shows_use_and_limit():
    assert status_row(device()) == ["web1", "10.78.0.10", "bookworm", "-", "on", "75 MiB / 2 GiB", "1.5"]


def test_a_device_that_is_off_uses_no_memory_and_no_limit_is_a_dash():
    row = status_row(device(state="off", is_on=False, memory=None, cpus=None))
    assert row[4:] == ["off", "- / -", "-"]


def test_columns_are_as_wide_as_their_widest_cell():
    rows = [
        status_row(device(config=SimpleNamespace(source="shop"))),
        status_row(device(name="a-long-name", cpus=None)),
    ]
    assert table(rows) == (
        "NAME         ADDRESS     IMAGE     FROM  STATE  MEMORY          CPUS\n"
        "web1         10.78.0.10  bookworm  shop  on     75 MiB / 2 GiB  1.5\n"
        "a-long-name  10.78.0.10  bookworm  -     on     75 MiB / 2 GiB  -"
    )
