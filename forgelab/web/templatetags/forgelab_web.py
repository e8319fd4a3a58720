"""How pages show figures, states and icons."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince

from forgelab.devices.placement import gb

register = template.Library()
MINUTE = timedelta(minutes=1)

KINDS = {
    "succeeded": "good", "active": "good", "reachable": "good",
    "failed": "bad", "lost": "bad", "unreachable": "bad",
    "running": "busy", "provisioning": "busy", "queued": "busy",
}  # fmt: skip

# Strokes on a grid of 24 by 24.
ICONS = {
    "check": "M20 6 9 17l-5-5",
    "cross": "M18 6 6 18M6 6l12 12",
    "search": "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM21 21l-5-5",
    "plus": "M12 5v14M5 12h14",
    "back": "M19 12H5M11 6l-6 6 6 6",
    "out": "M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5",
    "alert": "M12 9v4M12 17h.01M10.3 4 2.6 17.5A2 2 0 0 0 4.3 20.5h15.4a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0Z",
    "moon": "M20 14.5A8 8 0 1 1 9.5 4a6.5 6.5 0 0 0 10.5 10.5Z",
    "app_server": "M12 3 3 8l9 5 9-5-9-5ZM3 12l9 5 9-5M3 16l9 5 9-5",
    "web_server": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
    "database_server": "M4 6c0-4 16-4 16 0s-16 4-16 0ZM4 6v12c0 4 16 4 16 0V6M4 12c0 4 16 4 16 0",
    "worker_server": "M4 7h10M4 12h7M4 17h5M16 11l4 3-4 3v-6Z",
    "cache_server": "M13 2 4 14h7l-1 8 9-12h-7l1-8Z",
    "server": "M4 4h16v7H4zM4 13h16v7H4zM8 7.5h.01M8 16.5h.01",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """The icon, hidden from those who hear the page; a plain server for an unknown name."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        ICONS.get(name, ICONS["server"]),
    )


@register.filter
def memory(mb: int | None) -> str:
    """MiB as `4GB`; a dash when unknown."""
    return gb(mb) if mb is not None else "–"  # noqa: RUF001 - the dash that stands for nothing


@register.filter
def duration(seconds: float | None) -> str:
    """`0.4 seconds`, `1 second`, `18 seconds`, `2 min 5 s`; empty when unknown."""
    if seconds is None:
        return ""
    if seconds < 0.95:
        return f"{seconds:.1f} seconds"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} second{'' if whole == 1 else 's'}"
    return f"{whole // 60} min {whole % 60} s"


@register.filter
def ago(moment: datetime) -> str:
    """`just now`, `3 minutes ago`, `2 days, 3 hours ago`."""
    return "just now" if timezone.now() - moment < MINUTE else f"{timesince(moment)} ago"


@register.filter
def percentage(value: float | None) -> str:
    return f"{value:.1f}%" if value is not None else "–"  # noqa: RUF001


@register.filter
def diff_kind(line: str) -> str:
    """The class of a diff's line: added, gone, where; empty for what stays."""
    return {"+": "added", "-": "gone", "@": "where"}.get(line[:1], "")


@register.filter
def kind(status: str) -> str:
    """The colour class of any status."""
    return KINDS.get(status, "quiet")


@register.filter
def marked(text: str) -> SafeString:
    """Text in which `backticks` mark code."""
    parts = re.split(r"(``.+?``|`[^`]+`)", text)
    return format_html_join(
        "",
        "{}",
        ((format_html("<code>{}</code>", part.strip("` ")) if n % 2 else part,) for n, part in enumerate(parts)),
    )


@register.filter
def prose(text: str) -> SafeString:
    """A recipe's message: paragraphs, `1.` and `-` lists, and lines ending in a colon as headings."""
    blocks: list[tuple[str, list[str]]] = []
    for line in text.strip().splitlines():
        tag, content = _block(line.strip())
        if not content or not blocks or blocks[-1][0] != tag or tag == "h3":
            blocks.append((tag, []))
        if content:
            blocks[-1][1].append(content)
    return mark_safe("".join(_html(tag, lines) for tag, lines in blocks if lines))  # noqa: S308 - each part is escaped


def _block(line: str) -> tuple[str, str]:
    if match := re.match(r"(?:\d+\.|[-*•])\s+(.*)", line):
        return ("ol" if line[0].isdigit() else "ul"), match[1]
    return ("h3", line.rstrip(":")) if line.endswith(":") else ("p", line)


def _html(tag: str, lines: list[str]) -> SafeString:
    if tag in ("ol", "ul"):
        items = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
        return format_html(f"<{tag}>{{}}</{tag}>", items)
    return format_html(f"<{tag}>{{}}</{tag}>", " ".join(lines))
