"""The device of a new server: the one that was named, if it is suitable, else the best."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from django.core.exceptions import ValidationError

from forgelab.devices.models import Device
from forgelab.devices.placement import Score
from forgelab.servers.placement import ranking
from forgelab.servers.spec.server_spec import RESERVED, ServerSpec


def placed(spec: ServerSpec, device: Device | None) -> ServerSpec:
    """The server with its device. Raises `ValidationError` naming `device` where none, or not this one, is suitable."""
    scores = {score.name: score for score in ranking.placement_rank(spec)}
    if not scores:
        raise ValidationError({"device": "There is no device yet. Add one first: forgelab device add NAME ADDRESS"})
    chosen = scores[device.name] if device else next(iter(scores.values()))
    if not chosen.fits:
        raise ValidationError({"device": _refusal(chosen) if device else _none_fits(scores.values())})
    found = device or Device.objects.get(name=chosen.name)
    noted = {
        "points": chosen.points,
        "reasons": list(chosen.reasons),
        "automatic": device is None,
        RESERVED: sum(other.memory_mb for other in found.servers.all()),
    }
    return dataclasses.replace(spec, device=found, placement=noted)


def _refusal(score: Score) -> str:
    return f"{score.name} is not suitable: {'; '.join(score.refusals)}."


def _none_fits(scores: Iterable[Score]) -> str:
    return "No device is suitable: " + " ".join(f"{s.name}: {'; '.join(s.refusals)}." for s in scores)
