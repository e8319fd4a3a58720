"""Whole sets, and what if a device were gone, with real recipes and rows."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.devices.placement import Constraint
from forgelab.servers.models import Server
from forgelab.servers.placement import sets
from forgelab.servers.placement.set_requests import SetRequest
from forgelab.servers.provisioning import services

pytestmark = pytest.mark.django_db
GB = 1024
SET = [
    SetRequest("laravel-app-server"),
    SetRequest("database-server", name="shop-db"),
    SetRequest("laravel-worker-server", count=2),
]


@pytest.fixture
def homelab(make_device):
    return [
        make_device("homelab-server-02"),
        make_device("homelab-server-01", memory_available_mb=8 * GB, load_percent=75.0),
        make_device("homelab-pi-01", memory_total_mb=4 * GB, memory_available_mb=4 * GB, disk_total_mb=32 * GB,
                    disk_free_mb=32 * GB, disk_kind="sd"),
    ]  # fmt: skip


def places(found):
    return {choice.name: choice.device for choice in found.choices}


def test_an_app_server_a_database_server_and_two_workers(homelab):
    found = sets.set_place(requests=SET)
    assert found.complete and found.best
    where = places(found)
    assert set(where) == {
        "laravel-app-server", "shop-db", "laravel-worker-server-1", "laravel-worker-server-2"
    }  # fmt: skip
    assert where["laravel-app-server"] != where["shop-db"]  # a device can have PostgreSQL once
    said = {choice.name: choice.score.reasons for choice in found.choices}
    workers = [name for name in where if "worker" in name]
    assert any(where[name] == where["shop-db"] for name in workers)
    for name in workers:
        if where[name] == where["shop-db"]:
            assert "shop-db, which it uses, is on this device: no network between them" in said[name]
    assert not Server.objects.exists()


def test_constraints_take_names_and_types(homelab):
    wishes = [
        Constraint("apart", ("laravel-worker-server",)),
        Constraint("on", ("shop-db",), "homelab-server-01"),
        Constraint("not_on", ("laravel-app-server",), "homelab-server-02"),
    ]
    where = places(sets.set_place(requests=SET, constraints=wishes))
    assert where["laravel-worker-server-1"] != where["laravel-worker-server-2"]
    assert where["shop-db"] == "homelab-server-01"
    assert where["laravel-app-server"] == "homelab-pi-01"


def test_what_is_reserved_already_counts(homelab, enqueued):
    for device in homelab[:2]:
        device.memory_available_mb = 3 * GB
        device.save()
    services.server_provision(
        server_type="cache-server", name="fast", device=homelab[0], config={"redis_maxmemory_mb": 1024}, actor=SYSTEM
    )
    requests = [SetRequest("laravel-app-server"), SetRequest("laravel-web-server", count=3)]
    found = sets.set_place(requests=requests, constraints=[Constraint("not_on", (), "homelab-pi-01")])
    assert len(found.missing) == 1
    assert f"RAM left for {found.missing[0].name} once " in found.missing[0].reason


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        ([], "servers", "Ask for 1 to 40 servers, not 0."),
        ([SetRequest("laravel-web-server", count=41)], "servers", "Ask for 1 to 40 servers, not 41."),
        ([SetRequest("mail-server")], "servers[0].server_type", 'there is no recipe "mail-server"'),
        ([SetRequest("cache-server", name="A b")], "servers[0].name", "is not a valid server name"),
        ([SetRequest("cache-server"), SetRequest("cache-server")], "servers[1].name", "Give each a name of its own"),
        ([SetRequest("cache-server", environment="live")], "servers[0].environment", "is not one of production"),
        ([SetRequest("cache-server", config={"x": 1})], "servers[0].config.x", "is not an option"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_reported_by_field(homelab, asked, field, said):
    with pytest.raises(ValidationError) as refused:
        sets.set_place(requests=asked)
    assert said in refused.value.message_dict[field][0]


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        (Constraint("apart", ("shop",)), '"shop" is not one of laravel-app-server, shop-db'),
        (
            Constraint("on", ("shop-db",), "homelab-server-9"),
            '"homelab-server-9" is not one of homelab-pi-01, homelab-server-01',
        ),
    ],
)
def test_what_cannot_be_wished_is_reported_by_its_number(homelab, constraint, said):
    with pytest.raises(ValidationError) as refused:
        sets.set_place(requests=SET, constraints=[Constraint("spread", ()), constraint])
    assert said in refused.value.message_dict["constraints[1]"][0]


class TestWhatIf:
    @pytest.fixture
    def servers(self, homelab, enqueued):
        for kind, name in (("database-server", "shop-db"), ("cache-server", "fast"), ("laravel-web-server", "web")):
            services.server_provision(server_type=kind, name=name, device=homelab[0], config={}, actor=SYSTEM)
        Server.objects.update(status="active")
        config = {"database_server": "shop-db", "cache_server": "fast"}
        services.server_provision(
            server_type="laravel-worker-server", name="worker", device=homelab[2], config=config, actor=SYSTEM
        )
        return homelab

    def test_its_servers_fit_elsewhere_with_the_others_reservations_counted(self, servers):
        found = sets.device_without(device=servers[0])
        assert [server.name for server in found.servers] == ["fast", "shop-db", "web"]
        assert found.placement.complete
        assert set(places(found.placement)) == {"fast", "shop-db", "web"}
        assert "homelab-server-02" not in places(found.placement).values()

    def test_a_server_without_a_place_says_why(self, servers):
        servers[1].delete()
        pi = servers[2]
        pi.memory_available_mb = 2 * GB  # half a GB of them is reserved for the worker
        pi.save()
        found = sets.device_without(device=servers[0]).placement
        assert set(places(found)) == {"fast", "shop-db"}
        assert [(each.name, "once shop-db is on homelab-pi-01" in each.reason) for each in found.missing] == [
            ("web", True)
        ]

    def test_nothing_is_changed_by_asking(self, servers):
        before = list(Server.objects.values_list("name", "device__name"))
        sets.device_without(device=servers[0])
        assert list(Server.objects.values_list("name", "device__name")) == before

    def test_a_server_whose_recipe_is_gone_needs_what_is_reserved_for_it(self, servers):
        Server.objects.filter(name="web").update(server_type="gone", memory_mb=100 * GB)
        missing = sets.device_without(device=servers[0]).placement.missing
        assert [each.name for each in missing] == ["web"]
        assert "at least 100GB needed" in missing[0].reason
