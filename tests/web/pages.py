"""What tests ask of a page."""

from __future__ import annotations

import html
import re

from django.http import HttpResponse


def text(response: HttpResponse) -> str:
    """What a person reads on the page: no tags, single spaces."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def field(response: HttpResponse, name: str) -> str:
    """The text of the field's part of the page: label, errors, help."""
    part = re.search(rf'id="field-{name}"[^>]*>(.*?)\n</div>', response.content.decode(), re.DOTALL)
    assert part, f"no field {name}"
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", part[1])))
