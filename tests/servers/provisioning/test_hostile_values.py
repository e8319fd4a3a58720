"""Every field a person fills, with values that break careless software: they arrive as they are, or are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.devices.models import Device
from forgelab.lib.problems import ConfigInvalid
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.provisioning.services import server_provision

TYPE = "laravel-app-server"
HOSTILE = [
    "{{ 7*7 }}", "{% raw %}", "``; touch pwned;``", "$(touch pwned)", "a\nb", "a\x00b", "it's \"quoted\"", "grüße-☃",
    "-rf", "../../etc/passwd", "a" * 5000, "%(ENV_HOME)s", "!unsafe x", "yes", "1e3", "",
]  # fmt: skip
RECIPE = recipe_catalog().get(TYPE)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("option", [option.name for option in RECIPE.options])
def test_an_option_takes_a_value_as_it_is_or_refuses_it_by_name(option: str, value: str) -> None:
    try:
        config = RECIPE.clean({option: value})
    except ConfigInvalid as refused:
        assert set(refused.errors) == {option}
        assert refused.errors[option]
    else:
        assert config[option] == value


@pytest.mark.django_db
@pytest.mark.parametrize("value", [value for value in HOSTILE if value != "yes"])
def test_a_server_cannot_have_such_a_name(value: str, device: Device) -> None:
    with pytest.raises(ValidationError) as refused:
        server_provision(server_type=TYPE, name=value, device=device, config={}, actor=SYSTEM)
    assert "name" in refused.value.message_dict


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["name", "address", "user"])
@pytest.mark.parametrize("value", [v for v in HOSTILE if v not in ("yes", "1e3")])
def test_a_device_cannot_have_such_a(field: str, value: str, make_device: Callable[..., Device]) -> None:
    device = make_device()
    setattr(device, field, value)
    with pytest.raises(ValidationError) as refused:
        device.full_clean()
    assert field in refused.value.message_dict
