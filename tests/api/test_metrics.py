from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from forgelab.devices.models import Device, Sample
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(db: None) -> Device:
    device = factories.device("nas", misses=1, mac_address="52:54:00:12:34:56", disks=[{"name": "sda"}])
    now = timezone.now()
    for span, count in ((60, 10), (300, 4), (3600, 2)):
        Sample.objects.bulk_create(
            Sample(device=device, span=span, at=now - timedelta(seconds=span * n), load_percent=float(n))
            for n in range(count)
        )
    return device


def test_samples_are_given_by_span_oldest_first(api: APIClient, device: Device) -> None:
    for query, count in (("", 4), ("?span=60", 10), ("?span=3600", 2)):
        rows = api.get(f"/api/v1/devices/{device.pk}/metrics{query}").json()["results"]
        assert [row["load_percent"] for row in rows] == [float(n) for n in reversed(range(count))]
    assert rows[0]["asked"] == rows[0]["answered"] == 1


def test_since_and_pages(api: APIClient, device: Device) -> None:
    since = (timezone.now() - timedelta(minutes=4, seconds=30)).isoformat().replace("+00:00", "Z")
    answer = api.get(f"/api/v1/devices/{device.pk}/metrics", {"span": 60, "since": since, "limit": 3}).json()
    assert len(answer["results"]) == 3
    more = api.get(answer["next"]).json()
    assert (len(more["results"]), more["next"]) == (2, None)


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("span=7", "span", '"7" is not one of 60, 300, 3600'),
        ("since=yesterday", "since", '"yesterday" is no time such as 2026-03-10T12:00:00Z'),
        ("since=2026-13-45T00:00:00Z", "since", "is no time such as"),
    ],
)
def test_bad_questions_are_refused(api: APIClient, device: Device, query: str, field: str, sentence: str) -> None:
    answer = api.get(f"/api/v1/devices/{device.pk}/metrics?{query}")
    assert answer.status_code == 400
    assert sentence in str(answer.json()[field])


def test_a_device_shows_what_it_is_made_of(api: APIClient, device: Device) -> None:
    shown = api.get(f"/api/v1/devices/{device.pk}").json()
    assert (shown["misses"], shown["sleeps"], shown["mac_address"]) == (1, False, "52:54:00:12:34:56")
    assert (shown["disks"], shown["listening"], shown["virtualisation"]) == ([{"name": "sda"}], [], "")


def test_a_device_is_marked_as_one_that_sleeps(api: APIClient, device: Device) -> None:
    answer = api.post(f"/api/v1/devices/{device.pk}/sleep", {"sleeps": True}, format="json")
    assert (answer.status_code, answer.json()["sleeps"]) == (200, True)
    assert answer.json()["mac_address"] == "52:54:00:12:34:56"


@pytest.mark.parametrize("body", [{}, {"sleeps": "often"}, {"mac_address": "52:54"}, {"mac": "52:54:00:12:34:56"}])
def test_what_cannot_be_is_refused_with_its_field(api: APIClient, device: Device, body: dict) -> None:
    answer = api.post(f"/api/v1/devices/{device.pk}/sleep", body, format="json")
    assert answer.status_code == 400
    assert set(answer.json()) & {"sleeps", "mac_address", "mac"}


def test_without_a_token_nothing_is_shown(device: Device) -> None:
    assert APIClient().get(f"/api/v1/devices/{device.pk}/metrics").status_code == 401
