"""A machine joins by itself: it reported, and is now found, logged in to, and added."""

from __future__ import annotations

import functools
import itertools
import logging
import operator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor, Kind
from forgelab.devices import hostkeys, join_tokens, services, ssh
from forgelab.devices.hostkeys import HostKey, HostKeyError
from forgelab.devices.join_script import USER, Report, parse, usable
from forgelab.devices.models import Device, JoinToken

log = logging.getLogger(__name__)
PATIENCE = 5  # seconds for an address to answer
BY_ACCIDENT = "Something went wrong in ForgeLab itself. What exactly is in its log."


class JoinRefused(Exception):
    """The machine was not added. The message is for the person at that machine, and for the one who waits."""


@dataclass(frozen=True)
class _Place:
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address} port {self.port}"


def join(*, token_text: str, report_text: str, came_from: str) -> Device:
    """Add the machine that sent this report; `came_from` is the address its request came from, empty if unknown.

    The token is used up by the first report, also where joining fails. A token that could be tried again would let
    anybody who saw it go on unobserved, and everybody who waits would see an end that is not final.
    Raises `JoinRefused`.
    """
    token = join_tokens.token_take(token_text)
    if token is None:
        raise JoinRefused(join_tokens.problem(join_tokens.token_find(token_text)) or "This command was just used.")
    actor = _actor(token, came_from)
    try:
        device = _add(actor, token, parse(report_text), came_from)
    except (JoinRefused, PermissionDenied, ValueError, HostKeyError, ssh.DeviceUnreachable, RuntimeError) as error:
        raise JoinRefused(_failed(actor, token, str(error))) from None
    except ValidationError as error:
        raise JoinRefused(_failed(actor, token, " ".join(error.messages))) from None
    except Exception:
        _failed(actor, token, BY_ACCIDENT)
        raise
    token.device = device
    token.save(update_fields=["device"])
    return device


def _actor(token: JoinToken, came_from: str) -> Actor:
    """The machine acts for the user who made its command."""
    return Actor(Kind.TOKEN, f"{token.created_by} (join command)", came_from, token.created_by)


@transaction.atomic
def _failed(actor: Actor, token: JoinToken, why: str) -> str:
    token.failure = why
    token.save(update_fields=["failure"])
    audit.record(actor=actor, action="device.join", obj=token, after={"failure": why})
    return why


def _add(actor: Actor, token: JoinToken, report: Report, came_from: str) -> Device:
    _refuse_a_twin(report)
    place = _find(report, came_from)
    device = services.device_add(
        name=_free_name(token.name or report.name, is_wish=bool(token.name)), address=place.address, port=place.port,
        user=USER, host_keys=list(report.host_keys), actor=actor, action="device.join",
    )  # fmt: skip
    if report.mac_address:
        device.mac_address = report.mac_address
        device.save(update_fields=["mac_address"])
    return device


def _refuse_a_twin(report: Report) -> None:
    same = (Q(host_keys__contains=key.base64) for key in report.host_keys)
    twin = Device.objects.filter(functools.reduce(operator.or_, same)).first()
    if twin:
        raise JoinRefused(
            f"A machine with the same SSH host key is in ForgeLab already: {twin.name} at {twin.address}. If this is "
            f"that machine, there is nothing to do. If it is a copy of it, give it host keys of its own (rm "
            "/etc/ssh/ssh_host_*; dpkg-reconfigure openssh-server) and join with a new command."
        )


def _find(report: Report, came_from: str) -> _Place:
    """Where SSH shows one of the reported keys: at the address that the request came from, or at one of its own."""
    addresses = dict.fromkeys((*usable([came_from]), *report.addresses))
    places = [_Place(address, port) for address in addresses for port in report.ports]
    if not places:
        raise JoinRefused("The machine reported no address at which it could be reached.")
    with ThreadPoolExecutor(len(places)) as pool:
        shown = dict(zip(places, pool.map(_keys_at, places), strict=True))
    found = next((place for place in places if set(shown[place]) & set(report.host_keys)), None)
    if found:
        return found
    others = [str(place) for place in places if shown[place]]
    raise JoinRefused(
        f"No SSH server with the machine's host keys answers at {', '.join(map(str, places))}. "
        + (f"At {', '.join(others)} another machine answers. " if others else "")
        + "Is a firewall in between? ForgeLab must reach the machine by SSH."
    )


def _keys_at(place: _Place) -> list[HostKey]:
    try:
        return hostkeys.scan(place.address, place.port, timeout=PATIENCE)
    except HostKeyError:
        return []


def _free_name(name: str, *, is_wish: bool) -> str:
    """The name, or where it is only a host name and taken, as every fresh Raspberry Pi's is, the next one."""
    if is_wish:
        return name
    candidates = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    taken = set(Device.objects.values_list("name", flat=True))
    return next(candidate for candidate in candidates if candidate not in taken)
