from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.lib.fields import cipher
from forgelab.runs import services as runs
from forgelab.runs.models import Run
from forgelab.runs.selectors import run_snapshot
from forgelab.servers import selectors
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Component, Server
from forgelab.servers.placement import ranking
from forgelab.servers.spec.server_spec import draft
from tests.support import secrets
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db
VERSIONS = [{"name": "nginx", "title": "Nginx", "version": "1.22.1"}, {"name": "php", "title": "PHP", "version": None}]


def test_provisioning_makes_a_server_and_a_queued_run(provision, device, enqueued, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        run = provision(config={"php_version": "8.2", "include_redis": False})
    server = Server.objects.get()
    assert (server.name, server.device, server.status) == ("laravel", device, "provisioning")
    assert (server.config["php_version"], server.config["include_redis"]) == ("8.2", False)
    assert server.config["database_engine"] == "postgresql"
    assert server.memory_mb == 2048
    assert (run.status, run.kind, run.subject_id, run.device) == ("queued", "server.provision", server.pk, device)
    assert enqueued == [str(run.pk)]


def test_the_best_device_is_taken_when_none_is_named(provision, make_device):
    make_device("homelab-pi-01", memory_total_mb=4096, memory_available_mb=3500, disk_kind="sd")
    best = make_device("homelab-server-02", load_percent=1.0)
    make_device("homelab-off", status="unreachable")
    assert provision(device=None).device == best
    assert Server.objects.get().placement["automatic"]
    assert Server.objects.get().placement["reasons"][0] == "12GB RAM available (app needs 4GB)"


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": "My Server"}, "name", "use 1 to 63 lowercase letters"),
        ({"name": "all"}, "name", "Ansible keeps this name"),
        ({"name": "{{ 7*7 }}"}, "name", "is not a valid server name"),
        ({"server_type": "windows"}, "server_type", 'there is no recipe "windows"; there are'),
        ({"config": {"php_version": "7.4"}}, "config.php_version", "8.3"),
        ({"config": {"php_versoin": "8.2"}}, "config.php_versoin", "is not an option"),
        ({"config": {"include_redis": "perhaps"}}, "config.include_redis", "must be true or false"),
        ({"config": {"domain": "a\nb"}}, "config.domain", "must be a single line"),
        ({"config": {"domain": "a\x00b"}}, "config.domain", "control character (U+0000)"),
        ({"config": {"domain": "\ud800"}}, "config.domain", "control character (U+D800)"),
        ({"config": {"domain": "; touch pwned;"}}, "config.domain", '"; touch pwned;" does not match'),
    ],
)
def test_bad_input_names_its_field_and_nothing_is_stored(provision, changes, field, message):
    with pytest.raises(ValidationError) as refused:
        provision(**changes)
    assert list(refused.value.message_dict) == [field]
    assert message in refused.value.message_dict[field][0]
    assert not Server.objects.exists()
    assert not Run.objects.exists()


def test_all_mistakes_are_reported_at_once(provision):
    with pytest.raises(ValidationError) as refused:
        provision(name="A", config={"php_version": "7.4", "x": 1})
    assert set(refused.value.message_dict) == {"name", "config.php_version", "config.x"}


def test_without_a_device_it_says_how_to_add_one(device, provision):
    device.delete()
    with pytest.raises(ValidationError, match="forgelab device add"):
        provision(device=None)


def test_when_none_fits_every_devices_reason_is_reported(provision, make_device, device):
    make_device("homelab-pi-01", cores=1)
    type(device).objects.filter(pk=device.pk).update(memory_available_mb=512)
    with pytest.raises(ValidationError) as refused:
        provision(device=None)
    told = refused.value.message_dict["device"][0]
    assert "homelab-server-01: 0.5GB RAM free, at least 2GB needed." in told
    assert "homelab-pi-01: 1 core, at least 2 needed." in told
    assert not Server.objects.exists()


def test_a_named_device_that_does_not_fit_is_refused(provision, device):
    type(device).objects.update(distribution="alpine")
    with pytest.raises(ValidationError, match="homelab-server-01 is not suitable: it runs alpine"):
        provision()


def test_a_second_server_with_the_same_components_does_not_go_on_the_same_device(provision, make_device):
    provision("first")
    with pytest.raises(
        ValidationError, match=r"first is on it already and has PostgreSQL there, which a device can have once"
    ):
        provision("second")
    other = make_device("homelab-server-02")
    assert provision("second", device=None).device == other


def test_what_is_reserved_for_a_server_is_not_reserved_again(provision, device):
    type(device).objects.update(memory_total_mb=3000)
    provision("first")
    recipe = recipe_catalog().get("laravel-app-server")
    refused = "0.9GB RAM free (2GB are reserved for the servers on it), at least 2GB needed"
    assert refused in ranking.placement_rank(draft(recipe))[0].refusals


class TestAgain:
    def test_provisioning_keeps_secrets_and_takes_the_new_config(self, provision, end):
        end(provision())
        before = Server.objects.get()
        run = provision(config={"php_version": "8.4"})
        after = Server.objects.get()
        assert (after.pk, after.secrets) == (before.pk, before.secrets)
        assert after.config["php_version"] == "8.4"
        assert after.status == "provisioning"
        assert run.subject_id == before.pk

    def test_needs_no_device_named(self, provision, end, make_device):
        end(provision())
        make_device("homelab-better", load_percent=0)
        assert provision(device=None).device.name == "homelab-server-01"

    def test_is_refused_while_a_run_is_active(self, provision):
        provision()
        with pytest.raises(ValidationError) as refused:
            provision(config={"php_version": "8.4"})
        assert "is being provisioned right now" in refused.value.message_dict["name"][0]
        assert Server.objects.get().config["php_version"] == "8.3"

    def test_is_refused_on_another_device(self, provision, end, make_device):
        end(provision())
        with pytest.raises(ValidationError) as refused:
            provision(device=make_device("homelab-server-02"))
        assert "laravel is on homelab-server-01" in refused.value.message_dict["device"][0]

    def test_is_refused_as_another_type(self, provision, end):
        end(provision())
        Server.objects.update(server_type="other")
        with pytest.raises(ValidationError, match="exists already, of type"):
            provision()

    def test_is_refused_when_another_server_has_the_component_meanwhile(self, provision, end, device):
        end(provision(config={"include_redis": False}))
        first = Server.objects.get()
        off = {name: False for name in first.config if name.startswith("include_")}
        cache = Server.objects.create(
            name="cache", server_type=first.server_type, device=device, secrets={},
            config={**first.config, **off, "include_redis": True, "database_engine": "mysql"},
        )  # fmt: skip
        with pytest.raises(ValidationError, match=r"cache is on it already and has Redis there"):
            provision(config={"include_redis": True})
        cache.delete()
        assert provision(config={"include_redis": True})


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_that_ask_for_one_name_get_one_server_and_one_sentence(self, provision):
        results = at_once(provision, provision, provision)
        assert sorted(type(result).__name__ for result in results) == ["Run", "ValidationError", "ValidationError"]
        assert Server.objects.count() == Run.objects.count() == 1

    def test_two_servers_do_not_get_the_same_device(self, provision, make_device):
        make_device("homelab-server-02")
        results = at_once(lambda: provision("one", device=None), lambda: provision("two", device=None))
        assert {result.device.name for result in results} == {"homelab-server-01", "homelab-server-02"}


class TestTheEnd:
    def test_of_a_good_run_makes_the_server_active_with_its_versions(self, provision, end):
        end(provision(), versions=VERSIONS)
        server = Server.objects.get()
        assert (server.status, server.provisioned_at is not None) == ("active", True)
        assert [str(component) for component in server.components.all()] == ["Nginx 1.22.1", "PHP"]

    def test_of_a_second_one_replaces_them(self, provision, end):
        end(provision(), versions=VERSIONS)
        end(provision(), versions=VERSIONS[:1])
        assert [component.name for component in Component.objects.all()] == ["nginx"]

    @pytest.mark.parametrize("status", ["failed", "cancelled"])
    def test_of_a_bad_run_makes_a_new_server_failed(self, provision, end, status):
        end(provision(), status, versions=[])
        assert Server.objects.get().status == "failed"

    @pytest.mark.parametrize("status", ["failed", "cancelled"])
    def test_of_a_bad_run_leaves_a_running_server_running_and_keeps_what_was_known(self, provision, end, status):
        end(provision(), versions=VERSIONS)
        end(provision(), status, versions=[])
        server = Server.objects.get()
        assert (server.status, server.components.count()) == ("active", 2)
        assert server.status_detail.startswith("Reprovisioning it")

    def test_of_a_lost_run_that_is_repeated_leaves_it_provisioning(self, provision, end):
        run = end(provision(), "lost")
        assert Server.objects.get().status == "provisioning"
        assert end(run.retried_by).status == "succeeded"
        assert Server.objects.get().status == "active"

    def test_of_a_cancelled_queued_run_is_taken_in(self, provision):
        runs.run_cancel(run=provision(), actor=SYSTEM)
        assert Server.objects.get().status == "failed"

    def test_of_a_run_whose_server_is_gone_is_taken_calmly(self, provision, end):
        run = provision()
        Server.objects.all().delete()
        assert end(run).status == "succeeded"

    @pytest.mark.parametrize(
        "versions",
        ["text", [None, 5, {"title": "no name"}], [{"name": "n" * 99, "version": "v" * 999}] * 2, [{"name": ["x"]}]],
    )
    def test_nonsense_from_the_device_does_not_keep_the_run_from_ending(self, provision, end, versions):
        assert end(provision(), versions=versions).status == "succeeded"
        assert Server.objects.get().status == "active"
        assert all(len(component.version) <= 64 for component in Component.objects.all())


class TestSecrets:
    def known(self):
        values = list(Server.objects.get().secrets.values())
        assert len(values) >= 2
        assert all(len(value) >= 20 and value.isalnum() for value in values)
        return values

    def test_are_encrypted_in_the_database(self, provision):
        provision()
        assert secrets.in_database(self.known()) == []
        assert cipher().encrypt("x") != cipher().encrypt("x")

    def test_are_in_no_list_no_snapshot_and_no_detail(self, provision, end):
        run = end(provision(), versions=VERSIONS)
        listed = selectors.server_list().get()
        assert "secrets" not in listed.__dict__
        shown = json.dumps([run_snapshot(run_id=run.pk), listed.config, listed.placement], default=str)
        assert secrets.in_text(shown, self.known()) == []

    def test_are_shown_as_credentials_and_marked_secret(self, provision):
        provision()
        blocks = selectors.server_credentials(server=Server.objects.get())
        fields = {field["label"]: field for block in blocks for field in block["fields"]}
        assert fields["Host"]["secret"] is False
        hidden = [field["value"] for field in fields.values() if field["secret"]]
        assert hidden
        assert secrets.in_text(" ".join(hidden), self.known())

    def test_are_no_longer_shown_when_the_recipe_is_gone_or_forbids_the_config(self, provision):
        provision()
        Server.objects.update(config={"php_version": "5.6"})
        assert selectors.server_credentials(server=Server.objects.get()) == []
        Server.objects.update(server_type="gone")
        assert selectors.server_credentials(server=Server.objects.get()) == []
        assert selectors.server_messages(server=Server.objects.get()) == []


def test_the_message_names_what_was_chosen(provision):
    provision(config={"php_version": "8.2"})
    assert "8.2" in selectors.server_messages(server=Server.objects.get())[0]["message"]


def test_the_latest_run_is_the_newest(provision, end):
    end(provision())
    latest = provision()
    assert selectors.server_latest_run(Server.objects.get()) == latest
