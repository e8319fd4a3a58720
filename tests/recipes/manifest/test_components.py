from __future__ import annotations

import pytest
import yaml

from forgelab.recipes.manifest.loader import load_text
from forgelab.recipes.roles.spec import Roles

from ..helpers import manifest, messages, minimal, option, php


def test_a_wrong_list_item_says_what_is_allowed(roles: Roles) -> None:
    [message] = messages(roles, **minimal(components=[php(extensions=["fpm", "cli", "xml", "fpmm"])]))
    assert message.startswith('components[0].extensions[3]: "fpmm" is not one of fpm, cli, mbstring')
    assert message.endswith('did you mean "fpm"?')


def test_an_unknown_role_is_refused(roles: Roles) -> None:
    assert messages(roles, **minimal(components=[php(), {"name": "ngnix"}])) == [
        'components[1].name: there is no role "ngnix"; did you mean "nginx"?'
    ]


def test_a_role_under_its_former_name_is_refused_with_the_new_one(roles: Roles) -> None:
    assert messages(roles, **minimal(components=[php(), {"name": "peers"}])) == [
        'components[1].name: there is no role "peers"; it is called "connection_check" now'
    ]


def test_a_role_can_be_used_once(roles: Roles) -> None:
    assert messages(roles, **minimal(components=[php(), php()])) == [
        'components[1].name: "php" stands twice; a role can be used once'
    ]


def test_a_version_without_quotes_says_how_to_write_it(roles: Roles) -> None:
    assert messages(roles, **minimal(components=[php(version=8.3)])) == [
        'components[0].version: must be text, not a number; write it in quotes: "8.3"'
    ]
    assert (
        'write it in quotes: "8.3"'
        in messages(roles, **minimal(config_options=[{"name": "php_version", "default": 8.3}]))[0]
    )


def test_a_version_that_differs_from_the_option_is_refused(roles: Roles) -> None:
    changes = minimal(components=[php(version="8.2")], config_options=[{"name": "php_version"}])
    assert "differs from the default of php_version" in messages(roles, **changes)[0]


def test_a_version_of_a_role_that_has_none_is_refused(roles: Roles) -> None:
    [message] = messages(roles, **minimal(components=[{"name": "nginx", "version": "1.24"}]))
    assert (
        message
        == 'components[0].version: the role nginx installs what the device offers; write "latest" or leave it out'
    )


def test_the_latest_version_is_refused_where_the_role_wants_a_number(roles: Roles) -> None:
    [message] = messages(roles, **minimal(components=[php(version="latest")]))
    assert message == 'components[0].version: "latest" is not one of 8.0, 8.1, 8.2, 8.3'


def test_a_setting_that_an_option_decides_is_refused(roles: Roles) -> None:
    changes = minimal(components=[php(workers=4)], config_options=[{"name": "php_workers"}])
    assert messages(roles, **changes) == [
        "components[0].workers: is decided by the option php_workers; leave it out here"
    ]


@pytest.mark.parametrize(
    "when, message",
    [
        ("nope", '"nope" is not one of php_workers, flavour'),
        ({"flavour": "c"}, 'flavour: "c" is not one of a, b'),
        ({"flavour": True}, "flavour: True is not one of a, b"),
        ("flavour", "flavour: True is not one of a, b"),
        ([], "must be an option's name or a mapping"),
    ],
)
def test_a_wrong_condition_is_refused(roles: Roles, when: object, message: str) -> None:
    options = [{"name": "php_workers"}, option()]
    post = [{"type": "message", "message": "${FLAVOUR}"}]
    found = messages(roles, **minimal(components=[php(when=when)], config_options=options, post_install=post))
    assert found[0].startswith(f"components[0].when: {message}"), found


def test_a_component_follows_the_option_named_after_it(roles: Roles) -> None:
    options = [{"name": "include_redis", "type": "boolean", "default": False}]
    changes = minimal(components=[php(), {"name": "redis"}], config_options=options)
    recipe = load_text(yaml.safe_dump(manifest(**changes)), roles)
    assert [one.name for one in recipe.selected(recipe.clean({}))] == ["php"]
    assert [one.name for one in recipe.selected(recipe.clean({"include_redis": True}))] == ["php", "redis"]


def test_a_component_follows_the_select_that_offers_it(roles: Roles) -> None:
    options = [{"name": "engine", "type": "select", "options": ["postgresql", "none"], "default": "none"}]
    changes = minimal(components=[php(), {"name": "postgresql"}], config_options=options)
    recipe = load_text(yaml.safe_dump(manifest(**changes)), roles)
    assert [one.name for one in recipe.selected(recipe.clean({"engine": "postgresql"}))] == ["php", "postgresql"]
    assert [one.name for one in recipe.selected(recipe.clean({}))] == ["php"]


def test_a_template_that_the_role_cannot_use_is_refused(roles: Roles) -> None:
    accepted = minimal(components=[php(config_template="php.conf.tmpl")])
    assert load_text(yaml.safe_dump(manifest(**accepted)), roles).components[0].variables == {}
    assert messages(roles, **minimal(components=[php(config_template="mine.tmpl")])) == [
        'components[0].config_template: the role php has its own; write "php.conf.tmpl" or leave it out'
    ]
