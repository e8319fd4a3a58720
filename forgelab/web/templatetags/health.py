"""How pages show what devices measure."""

from __future__ import annotations

from datetime import timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from forgelab.devices import sparkline
from forgelab.devices.metrics.history import Series
from forgelab.devices.models import Device
from forgelab.devices.placement import gb

register = template.Library()

TITLES = {
    "load_percent": "Load", "memory_available_mb": "Memory free", "disk_free_mb": "Storage free",
    "temperature_celsius": "Temperature",
}  # fmt: skip
ENDINGS = {"load_percent": "%", "temperature_celsius": " °C"}
PORTS_SHOWN = 40


@register.filter
def title(series: Series) -> str:
    return TITLES[series.name]


@register.filter
def now(series: Series) -> str:
    """The newest figure in words; a dash when the device has not answered lately."""
    return _figure(series, series.now)


@register.filter
def lowest(series: Series) -> str:
    return _figure(series, min(series.known))


@register.filter
def highest(series: Series) -> str:
    return _figure(series, max(series.known))


@register.filter
def drawing(series: Series) -> SafeString:
    """The last 24 hours as a line, with its figures for those who hear the page. Gaps stay gaps."""
    drawn = sparkline.draw(series.values, series.lowest, series.highest)
    label = (
        f"{title(series)} over the last 24 hours: now {now(series)}, lowest {lowest(series)}, highest {highest(series)}"
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="area" d="{}"/><path class="line" d="{}"/></svg>',
        sparkline.WIDTH, sparkline.HEIGHT, label, drawn.area, drawn.line,
    )  # fmt: skip


def _figure(series: Series, value: float | None) -> str:
    if value is None:
        return "–"  # noqa: RUF001 - the dash that stands for nothing
    ending = ENDINGS.get(series.name)
    return f"{value:.0f}{ending}" if ending else gb(value)


@register.filter
def running_since(device: Device) -> str:
    """Since when the device has been up; empty when it is not known."""
    if device.uptime_seconds is None or device.seen_at is None:
        return ""
    return date_format(timezone.localtime(device.seen_at - timedelta(seconds=device.uptime_seconds)), "j F Y, H:i")


@register.filter
def celsius(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} °C"


@register.filter
def shortened(listening: list[dict[str, object]]) -> list[dict[str, object]]:
    """As many of the ports as a page can bear."""
    return listening[:PORTS_SHOWN]


@register.filter
def kind_of_disk(kind: str) -> str:
    return {"nvme": "NVMe", "ssd": "SSD", "hdd": "hard disk", "sd": "SD card"}.get(kind, "disk")
