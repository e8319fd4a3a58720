from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from forgelab.lib.problems import DocumentError
from forgelab.recipes.manifest.loader import load_file, load_text
from forgelab.recipes.roles.spec import Roles

from ..helpers import MANIFEST, manifest, messages, minimal, php


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(roles: Roles) -> None:
    found = messages(roles, **minimal(id="A B", components=[php(extensions=["fpm", "fpmm"]), {"name": "ngnix"}]))
    assert [message.split(":")[0] for message in found] == ["id", "components[0].extensions[1]", "components[1].name"]


def test_problems_carry_their_lines(roles: Roles) -> None:
    with pytest.raises(DocumentError) as error:
        load_text(MANIFEST.replace("id: small-server", "id: Small"), roles)
    assert [(problem.line, problem.path) for problem in error.value.problems] == [(2, "id")]


def test_unknown_keys_are_refused_with_a_guess(roles: Roles) -> None:
    assert messages(roles, **minimal(requirments={})) == [
        'requirments: is not a known key; did you mean "requirements"?'
    ]
    assert messages(roles, **minimal(components=[php(extension=["fpm"])])) == [
        'components[0].extension: the role php has no such setting; did you mean "extensions"?'
    ]


def test_a_secret_that_nothing_uses_is_refused(roles: Roles) -> None:
    assert "nothing uses" in messages(roles, **minimal(secrets=[{"name": "key"}]))[0]


def test_an_unknown_placeholder_is_refused(roles: Roles) -> None:
    message = {"type": "message", "message": "Hello ${SERVR_NAME}"}
    assert messages(roles, **minimal(post_install=[message])) == [
        'post_install[0].message: ${SERVR_NAME} is not a known placeholder; did you mean "SERVER_NAME"?'
    ]


@pytest.mark.parametrize("kind, key", [("message", "message"), ("command", "command"), ("supervisor_config", "config")])
def test_a_secret_in_a_message_or_command_is_refused(roles: Roles, kind: str, key: str) -> None:
    found = messages(roles, **minimal(secrets=[{"name": "token"}], post_install=[{"type": kind, key: "x ${TOKEN}"}]))
    assert found == [f"post_install[0].{key}: must not use the secret ${{TOKEN}}; it would be shown or stored in clear"]


def test_a_placeholder_inside_quotes_is_refused(roles: Roles) -> None:
    [message] = messages(roles, **minimal(post_install=[{"type": "command", "command": "echo '${DOMAIN}'"}]))
    assert message.startswith("post_install[0].command: ${DOMAIN} stands inside quotes")


@pytest.mark.parametrize(
    "value, message",
    [
        ("2", "is not a size"),
        ("2 gigabytes", "is not a size"),
        (2, "is not a size"),
        ("0GB", "is not a size"),
        ("8GB", "is less than the minimum"),
    ],
)
def test_a_wrong_size_is_refused(roles: Roles, value: object, message: str) -> None:
    needs = manifest()["requirements"]
    assert isinstance(needs, dict)
    changed = needs | {"memory": {"minimum": "16GB" if value == "8GB" else value, "recommended": "8GB"}}
    assert any(message in found for found in messages(roles, **minimal(requirements=changed)))


def test_sizes_are_in_megabytes(roles: Roles) -> None:
    needs = {"memory": {"minimum": "512MB", "recommended": "1.5GB"}, "storage": {"minimum": "1TB"}}
    recipe = load_text(yaml.safe_dump(manifest(**minimal(requirements=needs))), roles)
    assert (recipe.requirements.memory_mb.minimum, recipe.requirements.memory_mb.recommended) == (512, 1536)
    assert recipe.requirements.storage_mb.recommended == 1024 * 1024
    assert recipe.requirements.cores.minimum == 1


@pytest.mark.parametrize("text", ["", "[]", "hello", "3", "null"])
def test_a_file_that_is_no_mapping_is_refused(roles: Roles, text: str) -> None:
    assert "must be a mapping" in messages(roles, text)[0]


def test_the_folder_must_be_named_like_the_id(roles: Roles, tmp_path: Path) -> None:
    path = tmp_path / "other" / "manifest.yaml"
    path.parent.mkdir()
    path.write_text(MANIFEST)
    with pytest.raises(DocumentError, match='"small-server" must be the name of its folder, "other"'):
        load_file(path, roles)


def test_a_file_that_cannot_be_read_is_a_problem(roles: Roles, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="is not a plain file"):
        load_file(tmp_path, roles)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["php", "8.3", "${X"])
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TOP = sorted(manifest())


@given(st.text())
def test_arbitrary_text_gives_a_recipe_error_and_nothing_else(roles: Roles, text: str) -> None:
    with pytest.raises(DocumentError):
        load_text(text, roles)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(TOP), DATA, min_size=1))
def test_arbitrary_values_give_a_recipe_error_and_nothing_else(roles: Roles, changes: dict[str, object]) -> None:
    try:
        load_text(yaml.safe_dump(manifest() | changes), roles)
    except DocumentError as error:
        assert error.problems


KEYS = [
    "name",
    "type",
    "options",
    "default",
    "min",
    "max",
    "pattern",
    "visible_if",
    "when",
    "value",
    "command",
    "fields",
]
ITEM = st.dictionaries(
    st.sampled_from(KEYS), DATA | st.sampled_from(["php_version", "select", "credentials", "${DOMAIN}"])
)


@settings(max_examples=50)
@given(st.sampled_from(["components", "config_options", "secrets", "post_install"]), st.lists(ITEM, max_size=3))
def test_arbitrary_items_give_a_recipe_error_and_nothing_else(roles: Roles, key: str, items: list[object]) -> None:
    try:
        load_text(yaml.safe_dump(manifest() | {key: items}), roles)
    except DocumentError as error:
        assert error.problems


def test_a_detail_of_a_message_may_depend_on_an_option(roles: Roles) -> None:
    message = {"type": "message", "message": "Hi", "details": ["a ${DOMAN}", {"value": "b", "when": "nope"}]}
    found = messages(roles, **minimal(post_install=[message]))
    assert [text.split(": ")[0] for text in found] == ["post_install[0].details[0]", "post_install[0].details[1].when"]
