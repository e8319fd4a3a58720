"""Memory and storage that are reserved for servers: from when, until when, and how they grow and shrink."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from forgelab.accounts.actors import SYSTEM
from forgelab.servers.changes import dry_run
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking
from forgelab.servers.provisioning import services
from tests.devices.placement.examples import GB

pytestmark = pytest.mark.django_db


class TestPromises:
    def test_are_made_of_memory_and_storage_and_kept_with_the_reasons(self, provision):
        provision()
        server = Server.objects.get()
        assert (server.memory_mb, server.storage_mb) == (2 * GB, 20 * GB)
        assert server.placement["points"] > 0
        assert "12GB RAM available (app needs 4GB)" in server.placement["reasons"]

    def test_of_a_server_that_is_not_there_yet_are_taken_from_what_is_free_now(self, provision, device):
        """12 of 16 GB are free and reserved for nobody; 2 of the 12 are the new server's before it uses them."""
        provision()
        device.refresh_from_db()
        assert ranking.candidate(device).memory_free_mb == 10 * GB
        assert ranking.candidate(device).disk_left_mb == 180 * GB

    def test_of_a_server_that_runs_are_in_the_figures_once_they_are_younger(self, provision, end, device):
        end(provision())
        device.refresh_from_db()
        assert ranking.candidate(device).memory_free_mb == 10 * GB
        device.seen_at = timezone.now() + timedelta(seconds=1)
        assert ranking.candidate(device).memory_free_mb == 12 * GB

    def test_of_a_failed_server_are_kept_until_it_is_decommissioned(self, provision, end, device):
        end(provision(), "failed")
        device.refresh_from_db()
        assert ranking.candidate(device).memory_free_mb == 10 * GB
        Server.objects.get().delete()
        device.refresh_from_db()
        assert ranking.candidate(device).memory_free_mb == 12 * GB

    def cache(self, device, mb: int):
        return services.server_provision(
            server_type="cache-server", name="fast", device=device, config={"redis_maxmemory_mb": mb}, actor=SYSTEM
        )

    def test_grow_with_the_options_where_the_device_has_that_much(self, device, end, enqueued):
        end(self.cache(device, 1000))
        assert Server.objects.get().memory_mb == 1512
        end(self.cache(device, 8000))
        assert Server.objects.get().memory_mb == 8512
        device.seen_at = timezone.now()  # of 12 GB, what the server uses is seen
        device.memory_available_mb = 4 * GB
        device.save()
        with pytest.raises(ValidationError) as refused:
            self.cache(device, 14_000)
        assert refused.value.message_dict == {
            "device": [
                "homelab-server-01 has 4GB RAM left, and with these options fast needs 5.9GB more than it has now."
            ]
        }
        with pytest.raises(ValidationError, match="has 4GB RAM left"):
            dry_run.server_plan(server=Server.objects.get(), changes={"redis_maxmemory_mb": 14_000}, actor=SYSTEM)
        assert Server.objects.get().memory_mb == 8512

    def test_shrink_only_once_the_server_runs_so(self, device, end, enqueued):
        end(self.cache(device, 8000))
        run = self.cache(device, 1000)
        assert Server.objects.get().memory_mb == 8512
        end(run)
        assert Server.objects.get().memory_mb == 1512

    def test_are_as_before_where_a_run_failed_before_it_had_changed_anything(self, device, end, enqueued):
        end(self.cache(device, 1000))
        end(self.cache(device, 8000), "failed")
        assert Server.objects.get().memory_mb == 1512
