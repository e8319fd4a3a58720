"""The one value that checks, placement and plans are made from."""

from __future__ import annotations

import pytest

from forgelab.recipes.resolve import Linked
from forgelab.servers.models import Server
from forgelab.servers.spec.server_spec import draft, outline, recorded
from tests.servers.helpers import recipe

pytestmark = pytest.mark.django_db


def test_a_recorded_server_shows_what_it_is_made_of(server):
    spec = recorded(server)
    assert (spec.name, spec.recipe.id, spec.device) == ("laravel", "laravel-app-server", server.device)
    assert [component.name for component in spec.components][:2] == ["nginx", "php"]
    assert spec.brings("redis")
    assert spec.ports == {80: "nginx", 5432: "postgres", 6379: "redis-server"}
    assert spec.reserved == {"memory_mb": server.memory_mb, "storage_mb": server.storage_mb}


def test_its_secrets_do_not_show_where_it_is_printed(server):
    spec = recorded(server)
    assert spec.secrets == server.secrets
    assert not any(secret in repr(spec) for secret in server.secrets.values())


def test_an_option_that_the_recipe_lost_is_left_out(server):
    server.config = {**server.config, "gone": "1"}
    assert "gone" not in recorded(server).config


@pytest.mark.parametrize("read", [recorded, outline])
def test_of_a_server_whose_recipe_is_gone_there_is_no_spec(server, read):
    server.server_type = "gone"
    assert read(server) is None


def test_an_outline_reads_neither_secrets_nor_device(server, django_assert_num_queries):
    bare = Server.objects.only("name", "server_type", "environment", "config").get()
    with django_assert_num_queries(0):
        assert outline(bare).brings("redis")


def test_a_secret_that_the_recipe_got_since_is_empty_until_it_is_reprovisioned(server):
    server.secrets = {}
    password = recorded(server).resolved_component("postgresql").secret_variables["postgresql_password"]
    assert password == ""


def test_a_draft_counts_with_the_defaults_and_with_the_environment_in_its_name():
    spec = draft(recipe(), name="shop-staging", config={"include_redis": False})
    assert (spec.environment, spec.brings("redis"), spec.brings("postgresql")) == ("staging", False, True)


def test_it_names_the_servers_of_options_that_apply_only():
    worker = draft(recipe("laravel-worker-server"), config={"database_server": "books"})
    assert [(option.name, names) for option, names in worker.named_servers()] == [("database_server", ["books"])]


@pytest.mark.parametrize(
    ("noted", "expected"),
    [({"reserved_mb": 512}, 512), ({"promised_mb": 512}, 512), ({}, 0), ({"reserved_mb": 0, "promised_mb": 0}, 0)],
    ids=["now", "as rows had it before", "never noted", "alone on its device"],
)
def test_what_was_reserved_for_others_before_is_read_under_its_old_name_too(server, noted, expected):
    server.placement = noted
    assert recorded(server).reserved_before_mb == expected


def test_links_fill_what_it_reads_of_other_servers():
    named = {"database_server": "books", "include_cache": False}
    worker = draft(recipe("laravel-worker-server"), name="worker", config=named)
    known = {"database_server": Linked({"address": "10.78.0.7", "type": "database-server"})}
    assert "10.78.0.7" in str(worker.resolved(known).components)
