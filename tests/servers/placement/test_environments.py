"""Production, staging and development: which one a server is in, and that they are kept apart."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from tests.servers.helpers import ranked

pytestmark = pytest.mark.django_db


class TestEnvironments:
    def test_is_what_was_said_else_what_the_name_says(self, provision, make_device):
        make_device("homelab-server-02"), make_device("homelab-server-03")
        provision("one", device=None, environment="development")
        provision("shop-staging", device=None)
        provision("shop", device=None)
        found = dict(Server.objects.values_list("name", "environment"))
        assert found == {"one": "development", "shop-staging": "staging", "shop": "production"}

    def test_stays_when_the_server_is_reprovisioned_and_can_be_changed(self, provision, end):
        end(provision(environment="staging"))
        end(provision())
        assert Server.objects.get().environment == "staging"
        end(provision(environment="production"))
        assert Server.objects.get().environment == "production"

    def test_that_is_none_is_refused(self, provision):
        with pytest.raises(ValidationError) as refused:
            provision(environment="live")
        said = '"live" is not one of production, staging, development.'
        assert refused.value.message_dict == {"environment": [said]}

    def test_are_kept_apart_and_that_is_reported(self, device, end, make_device, enqueued):
        other = make_device("homelab-server-02", load_percent=50.0)
        end(
            services.server_provision(
                server_type="cache-server", name="fast-staging", device=device, config={}, actor=SYSTEM
            )
        )
        first = ranked("laravel-web-server", name="laravel", config={})[0]
        assert first.name == other.name
        staging = "fast-staging is here: production and staging are better kept apart"
        scores = {each.name: each for each in ranked("laravel-web-server", name="laravel", config={})}
        assert staging in scores[device.name].reasons
