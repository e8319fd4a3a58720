from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from forgelab.lib.yaml import Expression, dump


class _Loader(yaml.SafeLoader):
    """Reads `!unsafe` as the text it marks, as Ansible does."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
LEAVES = st.text() | st.booleans() | st.integers() | st.none()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=5))
def test_whatever_is_dumped_is_read_again_as_it_was(data):
    assert yaml.load(dump(data), _Loader) == data


@given(st.text())
def test_a_text_that_could_be_a_template_is_marked_as_data(text):
    marked = "!unsafe" in dump({"x": text}).replace(repr(text), "") or "{" not in text
    assert marked


def test_only_expressions_are_left_to_be_templated():
    assert dump({"a": Expression("{{ b }}"), "c": "{{ b }}"}) == '---\na: "{{ b }}"\nc: !unsafe "{{ b }}"\n'


def test_a_comment_stands_above_line_by_line():
    assert dump({"a": 1}, "one\ntwo") == "# one\n# two\n---\na: 1\n"
