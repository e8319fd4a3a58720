"""The fields of options that apply only with others: which are shown, and what a change of one brings."""

from __future__ import annotations

import re

from django.http import HttpResponse
from django.test import Client

from tests.web.pages import field, text

APP = "/provision/laravel-app-server/"
WORKER = "/provision/laravel-worker-server/"
HTMX = {"HX-Request": "true"}


def unneeded(response: HttpResponse) -> set[str]:
    """The names of the fields that the page does not show."""
    return set(re.findall(r'class="field [\w ]*unneeded" id="field-(\w+)"', response.content.decode()))


def test_only_what_applies_to_the_recommended_choice_is_shown(web: Client) -> None:
    hidden = unneeded(web.get(APP))

    assert "mariadb_version" in hidden
    assert "postgresql_version" not in hidden


def test_another_choice_brings_its_fields_and_takes_the_others(web: Client) -> None:
    answer = web.get(f"{APP}fields/", {"database_engine": "mariadb"}, headers=HTMX)

    assert "postgresql_version" in unneeded(answer)
    assert "mariadb_version" not in unneeded(answer)


def test_only_frames_are_replaced_and_every_input_stays_as_it_is_in_the_page(web: Client) -> None:
    answer = web.get(f"{APP}fields/", {"database_engine": "mariadb"}, headers=HTMX).content.decode()

    frames = re.findall(r'<div class="field [^>]*>', answer)
    assert frames and all('hx-swap-oob="true"' in frame for frame in frames)
    inputs = re.findall(r"<(?:input|select|textarea) [^>]*>", answer)
    assert inputs and all('hx-preserve="true"' in each and ' id="' in each for each in inputs)
    assert "<!doctype" not in answer


def test_an_option_that_decides_asks_the_server_when_it_changes(web: Client) -> None:
    page = web.get(WORKER).content.decode()

    select = re.search(r'<input [^>]*name="use_cache"[^>]*>|<input [^>]*id="id_horizon"[^>]*>', page)
    assert f'hx-get="{WORKER}fields/"' in page
    assert select is None or "hx-trigger" in select[0]


def test_no_error_is_shown_before_the_form_was_sent(web: Client) -> None:
    answer = web.get(f"{WORKER}fields/", {"database_server": ""}, headers=HTMX)

    assert "invalid" not in answer.content.decode()


def test_a_page_with_errors_keeps_them_when_a_field_changes(web: Client) -> None:
    page = web.get(WORKER, {"name": "jobs", "use_cache_server": "on"})
    assert page.status_code == 422
    assert '<input type="hidden" name="checked" value="yes">' in page.content.decode()

    answer = web.get(f"{WORKER}fields/", {"checked": "yes", "use_cache_server": "on"}, headers=HTMX)

    assert "invalid" in answer.content.decode()
    assert field(answer, "cache_server")
    assert text(answer)


def test_the_change_page_hides_what_does_not_apply_to_the_server(web: Client, best: object) -> None:
    from tests import factories

    factories.server(best)

    assert "mariadb_version" in unneeded(web.get("/servers/laravel-production/change/"))
