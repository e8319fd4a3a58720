"""Servers that name other servers: who may be named, and what plans learn of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.devices.models import Device
from forgelab.lib.problems import ConfigInvalid
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.servers import selectors
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.export import export_project
from forgelab.servers.models import Server
from forgelab.servers.plans.provision import server_plan
from forgelab.servers.spec import links
from forgelab.servers.spec.server_spec import with_recipe
from tests.recipes.helpers import write_roles
from tests.recipes.linking import READER, ROLES, SHELF

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def recipes(settings: Any, tmp_path: Path) -> None:
    """The two small recipes, beside whatever ForgeLab brings."""
    settings.ROLES_DIR = write_roles(tmp_path / "roles", ROLES)
    settings.RECIPES_DIR = tmp_path / "recipes"
    for name, text in (("shelf", SHELF), ("reader", READER.replace("${SHELF_COLOUR}", ""))):
        (settings.RECIPES_DIR / name).mkdir(parents=True)
        (settings.RECIPES_DIR / name / "manifest.yaml").write_text(text)


@pytest.fixture
def device(make_device: Callable[..., Device]) -> Device:
    return make_device(address="10.78.0.11")


@pytest.fixture
def other(make_device: Callable[..., Device]) -> Device:
    return make_device("homelab-server-09", address="10.78.0.19")


@pytest.fixture
def books(provision: Callable[..., Run], end: Callable[..., Run]) -> Server:
    end(provision("books", server_type="shelf", config={"port": 6000}))
    return Server.objects.get(name="books")


def roles(run: Run) -> dict[str, Any]:
    return {role.name: role for role in Plan.from_json(run.plan).roles}


def refusal(ask: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(ValidationError) as error:
        ask()
    return {name: sentences[0] for name, sentences in error.value.message_dict.items()}


def test_a_plan_learns_the_other_servers_connection(provision, books, other):
    reader = roles(provision("desk", server_type="reader", device=other, config={"shelf": "books"}))["reader"]
    assert reader.variables["reader_port"] == 6000
    assert reader.variables["reader_address"] == books.device.address
    assert reader.variables["reader_url"] == f"shelf://{books.device.address}:6000/books?"
    assert reader.secrets == {"reader_passwords": {"shelf": books.secrets["database_password"]}}


def test_the_others_secret_is_in_nothing_that_is_shown(provision, books, other):
    run = provision("desk", server_type="reader", device=other, config={"shelf": "books"})
    secret = books.secrets["database_password"]
    desk = Server.objects.get(name="desk")
    roles_without = [{**vars(role), "secrets": None} for role in Plan.from_json(run.plan).roles]
    assert len(secret) > 20
    assert secret not in repr((desk.config, desk.secrets, roles_without, selectors.server_messages(server=desk)))
    [credentials] = selectors.server_credentials(server=desk)
    assert credentials["fields"] == [{"label": "Password", "value": secret, "secret": True}]


def test_on_the_same_device_the_way_is_the_loopback(provision, books, end):
    run = provision("desk", server_type="reader", config={"shelf": "books"})
    assert roles(run)["reader"].variables["reader_address"] == "127.0.0.1"
    end(run)
    assert roles(provision("books", server_type="shelf"))["shelf"].variables["shelf_allowed"] == []


def test_provisioning_again_takes_a_changed_address_port_and_password(provision, books, other, end):
    config = {"shelf": "books"}
    end(provision("desk", server_type="reader", device=other, config=config))
    Device.objects.filter(pk=books.device.pk).update(address="10.78.0.77")
    Server.objects.filter(pk=books.pk).update(
        config=books.config | {"port": 7000}, secrets={"database_password": "another-password-of-a-server"}
    )
    reader = roles(provision("desk", server_type="reader", device=other, config=config))["reader"]
    assert (reader.variables["reader_address"], reader.variables["reader_port"]) == ("10.78.0.77", 7000)
    assert reader.secrets == {"reader_passwords": {"shelf": "another-password-of-a-server"}}


def test_named_servers_become_the_networks_of_their_devices(provision, end, other):
    end(provision("desk", server_type="reader", device=other), "failed")
    config = {"allowed_servers": ["desk"], "allowed_networks": ["192.168.1.0/24"]}
    shelf = roles(provision("books", server_type="shelf", config=config))["shelf"]
    assert shelf.variables["shelf_allowed"] == ["192.168.1.0/24", "10.78.0.19/32"]


def test_a_server_opens_for_those_that_use_it_when_it_is_reprovisioned(provision, books, other, end):
    end(provision("desk", server_type="reader", device=other, config={"shelf": "books"}), "failed")
    assert [user.name for user in links.server_users(books.name)] == ["desk"]
    run = provision("books", server_type="shelf")
    assert roles(run)["shelf"].variables["shelf_allowed"] == ["10.78.0.19/32"]


def test_it_opens_for_nobody_while_remote_access_is_off(provision, books, other, end):
    end(provision("desk", server_type="reader", device=other, config={"shelf": "books"}), "failed")
    run = provision("books", server_type="shelf", config={"remote": False})
    assert roles(run)["shelf"].variables["shelf_allowed"] == []


def test_a_hidden_option_uses_nothing(provision, books, other):
    run = provision("desk", server_type="reader", device=other, config={"shelf": "books", "reading": False})
    assert roles(run)["reader"].variables["reader_address"] == ""
    assert links.server_users(books.name) == []


def test_a_server_that_does_not_exist_is_refused(provision, books, other):
    def ask() -> object:
        return provision("desk", server_type="reader", device=other, config={"shelf": "boks"})

    assert refusal(ask) == {"config.shelf": "There is no server boks. There are books."}
    books.delete()
    assert refusal(ask) == {
        "config.shelf": "There is no server boks. Provision one first: forgelab server provision shelf --name NAME"
    }
    assert not Server.objects.filter(name="desk").exists()


def test_a_server_of_another_type_is_refused(provision, books, other, end):
    end(provision("desk", server_type="reader", device=other))
    sentence = refusal(lambda: provision("two", server_type="reader", config={"shelf": "desk"}))["config.shelf"]
    assert sentence == "desk is a reader; needed is a shelf. There are books."


def test_a_server_cannot_name_itself(provision, books):
    ask = {"server_type": "shelf", "config": {"allowed_servers": ["books"]}}
    sentence = refusal(lambda: provision("books", **ask))["config.allowed_servers"]
    assert sentence.startswith("books cannot name itself.")


@pytest.mark.parametrize(
    "status, message",
    [
        ("provisioning", "books is being provisioned. Wait until it is ready."),
        ("failed", "Reprovision it first: forgelab server provision shelf --name books"),
    ],
)
def test_a_server_that_is_not_running_cannot_be_used(provision, books, other, status, message):
    Server.objects.filter(pk=books.pk).update(status=status)
    ask = {"server_type": "reader", "device": other, "config": {"shelf": "books"}}
    assert message in refusal(lambda: provision("desk", **ask))["config.shelf"]


def test_a_server_whose_recipe_is_gone_cannot_be_used(provision, books, other, settings):
    (settings.RECIPES_DIR / "shelf" / "manifest.yaml").unlink()
    ask = {"server_type": "reader", "device": other, "config": {"shelf": "books"}}
    assert "The recipe shelf of books is gone" in refusal(lambda: provision("desk", **ask))["config.shelf"]


def test_an_address_that_nobody_knows_is_named(provision, books, other, end):
    end(provision("desk", server_type="reader", device=other, config={"shelf": "books"}))
    Device.objects.filter(pk=other.pk).update(address="nowhere.invalid")
    sentence = refusal(lambda: provision("books", server_type="shelf"))["config.allowed_servers"]
    assert sentence.startswith("the address nowhere.invalid of homelab-server-09 cannot be found")
    Device.objects.filter(pk=other.pk).update(address="localhost")
    assert "127.0.0.1/32" in roles(provision("books", server_type="shelf"))["shelf"].variables["shelf_allowed"]


def test_a_plan_says_which_server_is_gone(provision, books, other, end):
    end(provision("desk", server_type="reader", device=other, config={"shelf": "books"}))
    books.delete()
    desk = Server.objects.get(name="desk")
    with pytest.raises(ConfigInvalid) as error:
        server_plan(with_recipe(desk, recipe_catalog().get("reader")))
    assert error.value.errors == {"shelf": "there is no server books any more; name another one"}
    assert selectors.server_messages(server=desk) == [{"title": "Ready", "message": "Reads from books at .\n"}]


def test_only_the_name_is_stored(provision, books, other):
    provision("desk", server_type="reader", device=other, config={"shelf": "books"})
    assert Server.objects.get(name="desk").config == {"reading": True, "shelf": "books"}


def test_an_export_has_the_others_secret_in_vault_files_only(provision, books, other, end, tmp_path):
    end(provision("desk", server_type="reader", device=other, config={"shelf": "books"}))
    folder = export_project(directory=tmp_path / "out", vault_password="open", actor=SYSTEM)
    files = (path for path in folder.rglob("*") if path.is_file())
    texts = {str(path.relative_to(folder)): path.read_text(errors="replace") for path in files}
    assert not [name for name, text in texts.items() if books.secrets["database_password"] in text]
    assert "10.78.0.11" in texts["vars/desk.yml"]
    assert "10.78.0.19/32" in texts["vars/books.yml"]  # the next run of its playbook opens for the reader
