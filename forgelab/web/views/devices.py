"""Devices: the list, one device, and what can be done with one."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from forgelab.accounts.actors import from_request
from forgelab.devices import hostkeys, services, ssh, update
from forgelab.devices.metrics import history
from forgelab.devices.models import Device
from forgelab.runs.selectors import run_list
from forgelab.web.errors import UNPROCESSABLE, add_errors, flash
from forgelab.web.forms.devices import SleepForm
from forgelab.web.host_keys import accepted_keys
from forgelab.web.permissions import needs
from forgelab.web.shortcuts import polled


@require_GET
def device_list(request: HttpRequest) -> HttpResponse:
    devices = history.with_loads(Device.objects.prefetch_related("servers"))
    return polled(request, "web/devices/list.html", "devices", {"devices": devices})


@require_GET
def detail(request: HttpRequest, name: str) -> HttpResponse:
    return _page(request, name)


def _page(request: HttpRequest, name: str, sleep: SleepForm | None = None) -> HttpResponse:
    """The device's page; `sleep` is a form that was refused."""
    device = get_object_or_404(
        Device.objects.select_related("identity", "jump").prefetch_related("servers", "behind"), name=name
    )
    context = {"device": device, "keys": hostkeys.parse(device.host_keys), "runs": run_list(device=device)[:10]}
    context |= {"history": history.last_day(device), "misses_until_down": settings.MISSES_UNTIL_DOWN}
    context["sleep"] = sleep or SleepForm(initial={"sleeps": device.sleeps, "mac_address": device.mac_address})
    return render(request, "web/devices/detail.html", context, status=UNPROCESSABLE if sleep else 200)


@needs("device.refresh")
@require_POST
def refresh(request: HttpRequest, name: str) -> HttpResponse:
    device = services.device_refresh(device=get_object_or_404(Device, name=name), actor=from_request(request))
    if not device.misses:  # else the page itself says why
        messages.success(request, f"{device.name} answered.")
    return redirect("device_detail", name)


@needs("device.update")
@require_POST
def sleep(request: HttpRequest, name: str) -> HttpResponse:
    """Mark the device as one that sleeps, or not, and by which address it is woken."""
    device = get_object_or_404(Device, name=name)
    form = SleepForm(request.POST)
    if form.is_valid():
        try:
            update.device_update(device=device, **form.cleaned_data, actor=from_request(request))
        except ValidationError as error:
            add_errors(error, form)
        else:
            expected = "to sleep at times" if device.sleeps else "to be up"
            messages.success(request, f"{device.name} is expected {expected}.")
            return redirect("device_detail", name)
    return _page(request, name, form)


@needs("device.remove")
@require_POST
def remove(request: HttpRequest, name: str) -> HttpResponse:
    device = get_object_or_404(Device, name=name)
    try:
        services.device_remove(device=device, actor=from_request(request))
    except ValidationError as error:
        flash(request, error)
        return redirect("device_detail", name)
    messages.success(request, f"{device.name} is forgotten. Nothing on it was touched.")
    return redirect("device_list")


@needs("device.trust")
@never_cache
def trust(request: HttpRequest, name: str) -> HttpResponse:
    """The keys the device shows now beside the pinned ones; those accepted by their fingerprint are pinned instead."""
    device = get_object_or_404(Device, name=name, connection=Device.Connection.SSH)
    context = {"device": device, "pinned": hostkeys.parse(device.host_keys)}
    try:
        context["keys"] = hostkeys.scan(device.address, device.port, jump=device.jump)
    except (hostkeys.HostKeyError, ssh.DeviceUnreachable) as error:
        return render(request, "web/devices/trust.html", context | {"error": str(error)}, status=UNPROCESSABLE)
    accepted = accepted_keys(request, context["keys"])
    if not accepted:
        return render(request, "web/devices/trust.html", context)
    services.device_trust(device=device, host_keys=accepted, actor=from_request(request))
    services.device_observe(device=device)
    messages.success(request, f"The host keys of {device.name} are pinned.")
    return redirect("device_detail", name)
