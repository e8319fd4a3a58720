"""The addresses of the wizard's steps, and what its form sends."""

from __future__ import annotations

from urllib.parse import urlencode

from forgelab.servers.catalog import recipe_catalog
from tests import factories

CONFIGURE = f"/provision/{factories.TYPE}/"
DEVICE = f"/provision/{factories.TYPE}/device/"


def answers(**changes: str) -> str:
    """What the form of step 2 sends when it is sent as it was served, with these changes; "" leaves a box unticked."""
    values: dict[str, str] = {"name": "blog"}
    for option in recipe_catalog().get(factories.TYPE).options:
        values[option.name] = "on" if option.default is True else "" if option.default is False else str(option.default)
    return urlencode({name: value for name, value in (values | changes).items() if value})
