from __future__ import annotations

import pytest

from forgelab.lib.problems import DocumentError
from forgelab.lib.yamlfile import MAX_BYTES, parse


def refused(text: str | bytes) -> str:
    with pytest.raises(DocumentError) as error:
        parse(text)
    return str(error.value)


def test_it_remembers_the_line_of_every_path() -> None:
    document = parse("a: 1\nb:\n  - x\n  - c: 2\n")
    assert document.data == {"a": 1, "b": ["x", {"c": 2}]}
    assert document.lines["b"] == 2
    assert document.lines["b[1].c"] == 4


def test_a_syntax_error_names_its_line() -> None:
    assert refused("a: 1\nb: [1, 2\nc: 3\n").startswith("line 3: is not valid YAML")


def test_a_key_that_stands_twice_is_refused_with_its_line() -> None:
    assert refused("a: 1\nb: 2\na: 3\n") == 'line 3: the key "a" stands twice; keep one'


def test_aliases_are_refused_before_they_can_grow() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\n"
    assert "anchors and aliases" in refused(bomb)


def test_a_file_that_is_too_large_is_refused() -> None:
    assert f"{MAX_BYTES} are allowed" in refused("a: " + "x" * MAX_BYTES)


def test_deep_nesting_is_refused() -> None:
    assert "nested" in refused("[" * 5000)
    assert "nested deeper than" in refused("[" * 30 + "]" * 30)


def test_bytes_that_are_no_text_are_refused() -> None:
    assert "is not UTF-8 text" in refused(b"a: \xff\xfe")


def test_a_byte_order_mark_is_welcome() -> None:
    assert parse("a: ü".encode("utf-8-sig")).data == {"a": "ü"}


@pytest.mark.parametrize(
    "text", ["a: 2024-01-01", "a: 2024-13-45", "a: !!binary aGk=", "a: !!python/object:os.system x"]
)
def test_values_that_are_no_plain_data_are_refused(text: str) -> None:
    assert refused(text).startswith("line 1: ")


def test_a_number_python_cannot_read_is_refused() -> None:
    assert refused("a: " + "9" * 5000).startswith("line 1: a cannot be read")


def test_keys_must_be_text() -> None:
    assert refused("a:\n  1: x\n") == "line 2: a key must be text, not 1"
