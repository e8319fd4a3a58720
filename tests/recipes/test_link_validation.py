"""Manifests that link servers wrongly, and what they read that nobody publishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.recipes.catalog import Catalog
from forgelab.recipes.model import Recipe
from forgelab.recipes.roles.spec import Roles

from .helpers import messages, minimal, write_roles
from .linking import READER, ROLES, SHELF


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("${SHELF_PORT}/", "${SHELFPORT}/", "components[0].url: ${SHELFPORT} is not a known placeholder"),
        ("server_types: [shelf]", "server_types: [Shelf]", "config_options[1].server_types[0]"),
        ('default: "", visible_if', "default: books, visible_if", "config_options[1].default: must be empty"),
        ("Reads from ${SHELF}", "Reads ${SHELF_PORT}", "post_install[0].message: must not use ${SHELF_PORT}: what"),
        ("when: shelf}", "when: {shelf: books}}", "must be true (some are named) or false (none), not 'books'"),
    ],
)
def test_a_wrong_link_is_refused(own_roles: Roles, old: str, new: str, message: str) -> None:
    assert old in READER
    found = messages(own_roles, READER.replace(old, new))
    assert any(message in each for each in found), found


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            'port: "${PORT}"\n    password',
            'port: "${ALLOWED_NETWORKS}"\n    password',
            "components[0].port: must be int",
        ),
        (
            'password: "${DATABASE_PASSWORD}"\nconfig',
            'password: "${ALLOWED_NETWORKS}"\nconfig',
            "but ${ALLOWED_NETWORKS}",
        ),
        (
            'allowed: ["${ALLOWED_NETWORKS}", "${ALLOWED_SERVERS_ADDRESSES}"]',
            'allowed: "${PORT}"',
            "must be a list, or",
        ),
        ("  material:", "  address: x\n  material:", "publishes.address: is known of every server by itself"),
        ("  material:", "  Wrong-Name: x\n  material:", 'publishes.Wrong-Name: "Wrong-Name" must be'),
        ('database: "${DATABASE_NAME}"', 'database: "${NOPE}"', "publishes.database: ${NOPE} is not a known"),
        ("when: {engine: wood}", "when: {engine: iron}", "publishes.material[0].when: engine: "),
        ('database: "${DATABASE_NAME}"', 'database: "${ALLOWED_SERVERS_ADDRESSES}"', "must not pass on"),
    ],
)
def test_a_wrong_list_or_publication_is_refused(own_roles: Roles, old: str, new: str, message: str) -> None:
    assert old in SHELF
    found = messages(own_roles, SHELF.replace(old, new))
    assert any(message in each for each in found), found


def test_server_types_are_for_options_that_name_servers(roles: Roles) -> None:
    changes = minimal(config_options=[{"name": "x", "type": "boolean", "default": True, "server_types": ["a"]}])
    assert "config_options[0].server_types: is only for options of type server or servers" in messages(roles, **changes)


def test_a_recipe_remembers_what_it_reads_of_others(reader: Recipe) -> None:
    assert {(read.option, read.name) for read in reader.reads} == {
        ("shelf", name) for name in ("port", "database", "colour", "material", "password")
    }
    assert "components[0].passwords" in {read.path for read in reader.reads}


def in_a_folder(folder: Path, **texts: str) -> Catalog:
    for name, text in texts.items():
        (folder / "recipes" / name).mkdir(parents=True)
        (folder / "recipes" / name / "manifest.yaml").write_text(text)
    return Catalog.load([folder / "recipes"], write_roles(folder / "roles", ROLES))


def test_what_nobody_publishes_cannot_be_read(tmp_path: Path) -> None:
    loaded = in_a_folder(tmp_path, shelf=SHELF, reader=READER)
    assert list(loaded.recipes) == ["shelf"]
    [[problem]] = loaded.problems.values()
    assert (problem.path, problem.message) == (
        "components[0].url",
        "${SHELF_COLOUR} is never known: no shelf publishes colour; they publish database, material, password, port",
    )


def test_what_is_published_can_be_read_and_of_a_missing_recipe_nothing_is_known(tmp_path: Path) -> None:
    good = READER.replace("?${SHELF_COLOUR}", "")
    assert set(in_a_folder(tmp_path / "both", shelf=SHELF, reader=good).recipes) == {"shelf", "reader"}
    assert set(in_a_folder(tmp_path / "alone", reader=READER).recipes) == {"reader"}
