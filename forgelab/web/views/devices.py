"""Devices: the list, one device, adding one after its host key was seen, and what can be done with one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from forgelab.devices import hostkeys, services, ssh
from forgelab.devices.models import Device, Identity
from forgelab.runs.selectors import run_list
from forgelab.web.forms import DeviceForm

UNPROCESSABLE = 422


@login_required
@require_GET
def device_list(request: HttpRequest) -> HttpResponse:
    return render(request, "web/device_list.html", {"devices": Device.objects.prefetch_related("servers")})


@login_required
@require_GET
def detail(request: HttpRequest, name: str) -> HttpResponse:
    device = get_object_or_404(Device.objects.select_related("identity").prefetch_related("servers"), name=name)
    context = {"device": device, "keys": hostkeys.parse(device.host_keys), "runs": run_list(device=device)[:10]}
    return render(request, "web/device_detail.html", context)


@login_required
@require_POST
def refresh(request: HttpRequest, name: str) -> HttpResponse:
    device = services.device_refresh(device=get_object_or_404(Device, name=name))
    if device.status == Device.Status.REACHABLE:
        messages.success(request, f"{device.name} answered.")
    return redirect("device", name)


@login_required
@require_POST
def remove(request: HttpRequest, name: str) -> HttpResponse:
    device = get_object_or_404(Device, name=name)
    try:
        services.device_remove(device=device)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("device", name)
    messages.success(request, f"{device.name} is forgotten. Nothing on it was touched.")
    return redirect("devices")


@login_required
@never_cache
def trust(request: HttpRequest, name: str) -> HttpResponse:
    """The keys the device shows now beside the pinned ones; those accepted by their fingerprint are pinned instead."""
    device = get_object_or_404(Device, name=name)
    context = {"device": device, "pinned": hostkeys.parse(device.host_keys)}
    try:
        context["keys"] = hostkeys.scan(device.address, device.port)
    except hostkeys.HostKeyError as error:
        return render(request, "web/device_trust.html", context | {"error": str(error)}, status=UNPROCESSABLE)
    accepted = _accepted(request, context["keys"])
    if not accepted:
        return render(request, "web/device_trust.html", context)
    services.device_trust(device=device, host_keys=accepted)
    messages.success(request, f"The host keys of {device.name} are pinned.")
    return redirect("device", name)


@login_required
@never_cache
def add(request: HttpRequest) -> HttpResponse:
    """First the form; then the fingerprints the device shows, to be accepted; then the device is added."""
    if request.method != "POST":
        return _show(request, DeviceForm(initial={"user": "root", "port": 22}))
    form = DeviceForm(request.POST)
    if not form.is_valid():
        return _show(request, form)
    try:
        keys = hostkeys.scan(form.cleaned_data["address"], form.cleaned_data["port"])
        accepted = _accepted(request, keys)
        if not accepted:
            return _show(request, form, keys=keys)
        device = _add(form, accepted)
    except (hostkeys.HostKeyError, ssh.DeviceUnreachable) as error:
        form.add_error(None, str(error))
        return _show(request, form)
    except ValidationError as error:
        _tell(form, error)
        return _show(request, form)
    messages.success(request, f"{device.name} is added.")
    return redirect("device", device.name)


def _accepted(request: HttpRequest, keys: list[hostkeys.HostKey]) -> list[hostkeys.HostKey]:
    """Of the keys the device shows at this moment, those whose fingerprint the user has accepted."""
    return [key for key in keys if key.fingerprint in request.POST.getlist("accepted")]


def _add(form: DeviceForm, keys: list[hostkeys.HostKey]) -> Device:
    chosen = {field: form.cleaned_data[field] for field in ("name", "address", "port", "user")}
    return services.device_add(**chosen, host_keys=keys, identity=_identity(form))


def _identity(form: DeviceForm) -> Identity:
    private_key = form.cleaned_data["private_key"].replace("\r\n", "\n")
    if not private_key.strip():
        return services.identity_default()
    known = next((i for i in Identity.objects.all() if i.private_key.strip() == private_key.strip()), None)
    return known or services.identity_add(name=f"{form.cleaned_data['name'][:50]}-key", private_key=private_key)


def _tell(form: DeviceForm, error: ValidationError) -> None:
    """Put the service's sentences beside their fields; those about no field of the form stand above it."""
    for field, sentences in getattr(error, "message_dict", {None: error.messages}).items():
        form.add_error(field if field in form.fields else None, sentences)


def _show(request: HttpRequest, form: DeviceForm, keys: list[hostkeys.HostKey] | None = None) -> HttpResponse:
    context = {"form": form, "keys": keys, "public_key": services.identity_default().public_key}
    return render(request, "web/device_add.html", context, status=UNPROCESSABLE if form.errors else 200)
