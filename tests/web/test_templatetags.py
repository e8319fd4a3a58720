from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from forgelab.web.templatetags.forgelab_web import ago, duration, icon, kind, memory, percentage, prose


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, ""), (0.0, "0.0 seconds"), (0.4, "0.4 seconds"), (0.96, "1 second"), (18.2, "18 seconds"),
     (119.4, "119 seconds"), (125.0, "2 min 5 s")],
)  # fmt: skip
def test_a_duration_is_said_as_people_say_it(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_figures_that_are_not_known_are_a_dash() -> None:
    assert (memory(None), percentage(None)) == ("–", "–")  # noqa: RUF001
    assert (memory(4096), percentage(99.94)) == ("4GB", "99.9%")


def test_an_unknown_icon_is_a_server_and_hidden_from_listeners() -> None:
    assert icon("nonsense") == icon("server")
    assert 'aria-hidden="true"' in icon("check")


def test_a_status_nobody_knows_is_quiet() -> None:
    assert (kind("active"), kind("lost"), kind("new")) == ("good", "bad", "quiet")


def test_a_message_becomes_paragraphs_and_lists() -> None:
    text = "Ready.\n\nNext steps:\n1. Deploy\n2. Migrate\n\n- Nginx: on\n"

    assert prose(text) == (
        "<p>Ready.</p><h3>Next steps</h3><ol><li>Deploy</li><li>Migrate</li></ol><ul><li>Nginx: on</li></ul>"
    )


def test_a_message_is_never_markup() -> None:
    assert prose("<b>{{ 7*7 }}</b>\n- <i>") == "<p>&lt;b&gt;{{ 7*7 }}&lt;/b&gt;</p><ul><li>&lt;i&gt;</li></ul>"


def test_a_moment_is_said_as_its_distance_from_now() -> None:
    now = timezone.now()

    assert ago(now - timedelta(seconds=59)) == "just now"
    assert ago(now - timedelta(minutes=3, seconds=1)).replace("\xa0", " ") == "3 minutes ago"
