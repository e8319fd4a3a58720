"""Adding a device that is reached by SSH, after its host key was seen; and the machine that ForgeLab runs on."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from forgelab.accounts.actors import Actor, from_request
from forgelab.devices import hostkeys, identities, passwords, services, ssh
from forgelab.devices.add_with_key import device_add_with_key
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.models import Device
from forgelab.lib.public_url import own_address
from forgelab.web.errors import UNPROCESSABLE, add_errors
from forgelab.web.forms.devices import DeviceForm, KeyForm, PasswordForm, ThisMachineForm
from forgelab.web.host_keys import accepted_keys
from forgelab.web.permissions import needs

Add = Callable[[Actor, DeviceForm, list[HostKey]], Device]


@sensitive_post_parameters("password")
@needs("device.add")
@never_cache
def by_password(request: HttpRequest) -> HttpResponse:
    return _add(request, PasswordForm, _with_password)


@sensitive_post_parameters("private_key", "passphrase")
@needs("device.add")
@never_cache
def by_key(request: HttpRequest) -> HttpResponse:
    return _add(request, KeyForm, _with_key)


@needs("device.add")
@never_cache
def this_machine(request: HttpRequest) -> HttpResponse:
    form = ThisMachineForm(request.POST or None, initial={"address": own_address()})
    if request.method == "POST" and form.is_valid():
        try:
            device = services.device_add(
                **form.cleaned_data, host_keys=[], connection=Device.Connection.LOCAL, actor=from_request(request)
            )
        except (ssh.DeviceUnreachable, ValidationError) as error:
            add_errors(error, form)
        else:
            return _added(request, device)
    context = {"form": form, "way": "this-machine", "user_here": ssh.local_user()}
    return render(request, "web/devices/add_local.html", context, status=UNPROCESSABLE if form.errors else 200)


def _add(request: HttpRequest, form_class: type[DeviceForm], add: Add) -> HttpResponse:
    """First the form; then the fingerprints the device shows, to be accepted; then the device is added."""
    if request.method != "POST":
        return _show(request, form_class())
    form = form_class(request.POST)
    if not form.is_valid():
        return _show(request, form)
    where = form.connection
    try:
        keys = hostkeys.scan(where["address"], where["port"], jump=where["jump"])
    except (hostkeys.HostKeyError, ssh.DeviceUnreachable) as error:
        add_errors(error, form)
        return _show(request, form)
    accepted = accepted_keys(request, keys)
    if not accepted:
        return _show(request, form, keys)
    try:
        device = add(from_request(request), form, accepted)
    except (ssh.DeviceUnreachable, ValidationError) as error:
        add_errors(error, form)
        return _show(request, form, keys, accepted)
    return _added(request, device)


def _with_password(actor: Actor, form: DeviceForm, keys: list[HostKey]) -> Device:
    return passwords.device_add_with_password(
        **form.connection, host_keys=keys, password=form.cleaned_data["password"], actor=actor
    )


def _with_key(actor: Actor, form: DeviceForm, keys: list[HostKey]) -> Device:
    chosen = {name: form.cleaned_data[name] for name in ("private_key", "passphrase")}
    return device_add_with_key(**form.connection, host_keys=keys, **chosen, actor=actor)


def _added(request: HttpRequest, device: Device) -> HttpResponse:
    messages.success(request, f"{device.name} is added.")
    return redirect("device_detail", device.name)


def _show(
    request: HttpRequest, form: DeviceForm, keys: list[HostKey] | None = None, accepted: list[HostKey] | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "keys": keys,
        "accepted": accepted or [],
        "way": "password" if isinstance(form, PasswordForm) else "key",
        "public_key": identities.identity_default().public_key,
    }
    return render(request, "web/devices/add_ssh.html", context, status=UNPROCESSABLE if form.errors else 200)
