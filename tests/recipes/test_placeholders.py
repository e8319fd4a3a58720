from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgelab.recipes.placeholders import fill, fill_all, fill_command, names_in, unquotable


def test_a_value_is_put_in_once_and_never_looked_at_again() -> None:
    assert fill("${A} ${B}", {"A": "${B}", "B": "x"}) == "${B} x"


def test_two_dollar_signs_make_a_literal_placeholder() -> None:
    assert fill("$${HOME} $uri", {}) == "${HOME} $uri"
    assert list(names_in("$${HOME}")) == []


def test_an_unclosed_placeholder_is_found() -> None:
    assert list(names_in("x ${A")) == ["A"]


def test_a_lone_placeholder_keeps_the_type_of_its_option() -> None:
    assert fill_all({"a": ["${N}", "n=${N}"]}, {"N": "4"}, {"N": 4}) == {"a": [4, "n=4"]}


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
def test_a_value_reaches_the_shell_as_one_word(value: str) -> None:
    command = fill_command("printf %s ${VALUE}", {"VALUE": value})
    assert subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True).stdout == value.encode()


@pytest.mark.parametrize(
    "command",
    [
        'echo "${X}"',
        "echo '${X}'",
        "echo `echo ${X}`",
        "cat <<E\n${X}\nE",
        "echo $'\\'' ${X}",
        "echo $((${X}))",
        'echo "$(echo "${X}")"',
        "echo \\${X}",
        "# don't\necho \"it's ${X}\"",
        "echo a#'b ${X}",
    ],
)
def test_a_placeholder_where_quoting_is_not_safe_is_refused(command: str) -> None:
    assert unquotable(command)


@pytest.mark.parametrize(
    "command",
    [
        "echo ${X}",
        "echo 'a b' ${X} \"c\"",
        "# don't\necho ${X}",
        'echo "$${HOME}" ${X}',
        "echo \\' ${X} \\'",
        'echo "`x`"',
    ],
)
def test_a_placeholder_between_words_is_fine(command: str) -> None:
    assert unquotable(command) is None
