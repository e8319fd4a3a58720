"""The wizard: type, options, device, run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.servers.models import Server
from tests import factories
from tests.web.pages import field, text
from tests.web.wizard import CONFIGURE, DEVICE, answers


@pytest.fixture(autouse=True)
def asked(enqueued: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No run is queued, and no device is really asked: the names of those that would have been."""
    names: list[str] = []
    monkeypatch.setattr("forgelab.web.device_ranking.device_observe", lambda device: names.append(device.name))
    return names


def test_every_recipe_is_a_card(web: Client) -> None:
    page = text(web.get("/provision/"))

    assert "Laravel App Server Complete Laravel production environment" in page
    assert "Needs 2GB RAM, 20GB storage, 2 cores" in page


def test_a_type_that_does_not_exist_is_not_found(web: Client) -> None:
    assert web.get("/provision/nonsense/").status_code == 404


def test_the_form_comes_from_the_recipe_with_what_is_recommended(web: Client) -> None:
    page = text(web.get(CONFIGURE))

    assert "Configure Laravel App Server Server Name" in page
    assert "PHP 8.3 (recommended)" in page
    assert "PostgreSQL (recommended)" in page
    assert "Include Redis cache" in page


def test_a_wrong_value_is_reported_beside_its_field_and_nothing_typed_is_lost(web: Client, best: Device) -> None:
    response = web.get(DEVICE + "?" + answers(name="My Blog!", php_memory_limit="a lot", include_redis=""), follow=True)
    page = response.content.decode()

    assert response.status_code == 422
    assert '"My Blog!" is not a valid name' in field(response, "name")
    assert '"a lot" does not match' in field(response, "php_memory_limit")
    assert 'value="My Blog!"' in page.replace("&quot;", '"')
    assert 'value="a lot"' in page
    assert 'id="id_include_supervisor" checked' in page
    assert 'id="id_include_redis" checked' not in page


@pytest.mark.parametrize("value", ["{{ 7*7 }}", "`; touch pwned;`", "<script>alert(1)</script>", "naïve☃", "a\nb"])
def test_whatever_is_typed_comes_back_as_it_is(web: Client, value: str) -> None:
    response = web.get(DEVICE + "?" + answers(name=value, domain=value), follow=True)

    assert response.status_code == 422
    assert "<script>alert" not in response.content.decode()
    assert "is not a valid name" in field(response, "name")


def test_an_unknown_choice_is_refused_with_what_is_allowed(web: Client, best: Device) -> None:
    response = web.get(DEVICE + "?" + answers(php_version="7.4"), follow=True)

    assert "7.4" in field(response, "php_version")
    assert response.status_code == 422


def test_the_best_device_is_recommended_with_its_score_and_reasons(web: Client) -> None:
    factories.devices()

    page = text(web.get(DEVICE + "?" + answers() + "&analyzed=1"))

    assert "Recommended: homelab-server-02 Score: " in page
    assert "12GB RAM available (app needs 4GB)" in page
    assert "200GB SSD storage free" in page
    assert "Current load: 35% (plenty of headroom)" in page
    assert page.index("homelab-server-01 Score:") < page.index("homelab-pi-01 Score:")


def test_a_device_that_is_not_suitable_is_shown_disabled_with_its_reason(web: Client, best: Device) -> None:
    factories.device("tiny", memory_available_mb=512)

    response = web.get(DEVICE + "?" + answers())

    assert '<input type="radio" name="device" value="tiny" disabled>' in response.content.decode()
    assert "tiny Not suitable 0.5GB RAM free, at least 2GB needed" in text(response)


def test_without_a_suitable_device_it_says_why_and_what_to_do(web: Client) -> None:
    factories.device("tiny", memory_available_mb=512)

    page = text(web.get(DEVICE + "?" + answers()))

    assert "None of your devices is suitable" in page
    assert "tiny : 0.5GB RAM free" in page
    assert "Add a device" in page


def test_old_figures_are_fetched_again_before_anything_is_recommended(
    web: Client, best: Device, asked: list[str]
) -> None:
    Device.objects.filter(pk=best.pk).update(seen_at=timezone.now() - timedelta(hours=1))

    first = web.get(DEVICE + "?" + answers())
    assert "Analyzing your homelab" in text(first)
    assert "analyzed=1" in first.content.decode()
    assert asked == []

    second = web.get(DEVICE + "?" + answers() + "&analyzed=1")
    assert asked == ["homelab-server-02"]
    assert "Recommended: homelab-server-02" in text(second)


def test_the_last_button_makes_a_run_and_leads_to_it(web: Client, best: Device, user: object) -> None:
    response = web.post(DEVICE + "?" + answers(php_version="8.2"), {"device": "homelab-server-02"})
    run = Run.objects.get()

    assert response.headers["Location"] == f"/runs/{run.pk}/"
    assert run.requested_by == user
    assert Server.objects.get(name="blog").config["php_version"] == "8.2"


def test_another_device_than_the_recommended_one_can_be_chosen(web: Client) -> None:
    factories.devices()

    web.post(DEVICE + "?" + answers(), {"device": "homelab-server-01"})

    assert Server.objects.get(name="blog").device.name == "homelab-server-01"


def test_pressing_the_last_button_twice_makes_one_run(web: Client, best: Device) -> None:
    first = web.post(DEVICE + "?" + answers(), {"device": "homelab-server-02"})
    second = web.post(DEVICE + "?" + answers(), {"device": "homelab-server-02"})

    assert Run.objects.count() == 1
    assert first.headers["Location"] == second.headers["Location"]


def test_a_device_that_became_unsuitable_meanwhile_is_refused_in_place(web: Client, best: Device) -> None:
    Device.objects.update(memory_available_mb=100)

    response = web.post(DEVICE + "?" + answers(), {"device": "homelab-server-02"})

    assert response.status_code == 422
    assert "homelab-server-02 is not suitable" in text(response)
    assert not Run.objects.exists()


def test_a_device_that_was_removed_meanwhile_is_reported(web: Client, best: Device) -> None:
    response = web.post(DEVICE + "?" + answers(), {"device": "gone"})

    assert response.status_code == 422
    assert 'There is no device "gone" any more' in text(response)


def test_a_name_taken_by_another_type_is_reported_beside_the_name(web: Client, best: Device) -> None:
    Server.objects.create(name="blog", server_type="other", device=best, secrets={})

    response = web.post(DEVICE + "?" + answers(), {"device": "homelab-server-02"})

    assert response.status_code == 422
    assert "blog exists already, of type other" in field(response, "name")


def test_provisioning_again_starts_from_the_servers_own_options(web: Client, best: Device) -> None:
    factories.server(best)

    page = web.get(CONFIGURE + "?server=laravel-production").content.decode()

    assert 'value="laravel-production"' in page
    assert '<option value="8.2" selected>' in page


def test_a_server_is_reprovisioned_where_it_is(web: Client, best: Device) -> None:
    factories.server(best)
    query = answers(name="laravel-production")

    assert "Reprovision on homelab-server-02" in text(web.get(DEVICE + "?" + query))
    web.post(DEVICE + "?" + query, {"device": "homelab-server-02"})

    assert Run.objects.get().subject_id == Server.objects.get().pk


def test_a_login_that_ended_meanwhile_loses_nothing(client: Client, best: Device) -> None:
    response = client.post(DEVICE + "?" + answers(), {"device": "homelab-server-02"})

    assert "php_version%3D8.3" in response.headers["Location"]
