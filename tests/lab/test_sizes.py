from __future__ import annotations

import pytest

from forgelab.lab.errors import LabError
from forgelab.lab.sizes import format_size, parse_cpus, parse_memory


@pytest.mark.parametrize(
    ("text", "size"),
    [("2G", 2 * 2**30), ("512M", 512 * 2**20), ("1.5g", 1536 * 2**20), ("1GiB", 2**30), (2**30, 2**30), (None, None)],
)
def test_it_reads_memory_as_people_write_it(text, size):
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["much", "2X", "-1G", "", "G", "1G; rm"])
def test_it_refuses_memory_that_is_no_size_and_says_what_one_looks_like(text):
    with pytest.raises(LabError, match=r"^memory: .* such as 512M or 2G"):
        parse_memory(text)


def test_it_refuses_less_memory_than_debian_boots_with():
    with pytest.raises(LabError, match="memory: 32M is too small; a device needs at least 64 MiB"):
        parse_memory("32M")


@pytest.mark.parametrize(("value", "cpus"), [("1", 1.0), ("1.5", 1.5), (2, 2.0), (None, None)])
def test_it_reads_cpus(value, cpus):
    assert parse_cpus(value, available=2) == cpus


@pytest.mark.parametrize("value", ["3", "0", "-1", "two", "nan", "inf"])
def test_it_refuses_cpus_the_machine_does_not_have(value):
    with pytest.raises(LabError, match=r"^cpus: .* from 0.1 to 2"):
        parse_cpus(value, available=2)


@pytest.mark.parametrize(("size", "text"), [(64 * 2**20, "64 MiB"), (2**30, "1 GiB"), (1536 * 2**20, "1.5 GiB")])
def test_it_writes_sizes_for_people(size, text):
    assert format_size(size) == text
