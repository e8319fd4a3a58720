"""Whether a server's device is still as planned, recorded after every look and looked at once a day."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from forgelab.accounts.actors import SYSTEM
from forgelab.runs.models import Event, Run
from forgelab.servers.changes import drift, dry_run
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services

pytestmark = pytest.mark.django_db


def found(run: Run, *changed: str) -> None:
    """The plan's run found these files changed."""
    for counter, path in enumerate(changed, start=1):
        Event.objects.create(
            run=run, counter=counter, kind="runner_on_ok", role="nginx", task="Configure nginx", changed=True,
            result={"changed_files": [path]}, created_at=timezone.now(),
        )  # fmt: skip


class TestDrift:
    def look(self, server, end, *changed: str, **changes) -> Server:
        run = dry_run.server_plan(server=server, changes=changes, actor=SYSTEM)
        found(run, *changed)
        end(run)
        return Server.objects.get()

    def test_is_none_where_nothing_would_change(self, server, end):
        after = self.look(server, end)
        assert (after.drift_count, after.drift_since) == (0, None)
        assert after.drift_checked_at

    def test_is_counted_and_dated_from_the_first_time_it_was_seen(self, server, end):
        first = self.look(server, end, "/etc/nginx/nginx.conf")
        again = self.look(server, end, "/etc/nginx/nginx.conf", "/etc/nginx/sites-available/x")
        assert (first.drift_count, again.drift_count) == (1, 2)
        assert again.drift_since == first.drift_since
        assert again.drift_run != first.drift_run

    def test_is_over_once_the_server_was_reprovisioned(self, server, end):
        self.look(server, end, "/etc/nginx/nginx.conf")
        end(services.server_change(server=server, changes={}, actor=SYSTEM))
        after = Server.objects.get()
        assert (after.drift_count, after.drift_since, after.drift_run) == (None, None, None)

    def test_is_not_what_a_plan_with_other_options_found(self, server, end):
        assert self.look(server, end, "/etc/nginx/nginx.conf", php_version="8.2").drift_count is None

    def test_is_found_although_the_recipe_has_got_an_option_since(self, server, end):
        Server.objects.update(config={k: v for k, v in server.config.items() if k != "upload_max_mb"})
        server.refresh_from_db()
        assert self.look(server, end, "/etc/nginx/nginx.conf").drift_count == 1

    def test_of_a_look_that_failed_is_unknown(self, server, end):
        run = dry_run.server_plan(server=server, actor=SYSTEM)
        found(run, "/etc/nginx/nginx.conf")
        end(run, "failed")
        assert Server.objects.get().drift_count is None


class TestEveryDay:
    @pytest.fixture(autouse=True)
    def at_three(self, settings):
        settings.DRIFT_HOUR = 3

    @pytest.fixture
    def tomorrow(self, server):
        """Tomorrow, when the look of this server was due a minute ago."""
        return drift.due_at(server, timezone.now() + timedelta(days=1)) + timedelta(minutes=1)

    def test_a_server_is_looked_at_once(self, server, end, tomorrow):
        looks = drift.check_due(tomorrow)
        assert [run.subject_id for run in looks] == [server.pk]
        end(looks[0])
        Run.objects.filter(pk=looks[0].pk).update(created_at=tomorrow)
        assert drift.check_due(tomorrow + timedelta(minutes=5)) == []
        assert drift.check_due(tomorrow + timedelta(days=1))

    def test_not_before_its_minute(self, server, tomorrow):
        assert drift.check_due(tomorrow - timedelta(minutes=2)) == []

    def test_not_while_its_device_has_a_run_to_do(self, server, make_run, end, tomorrow):
        other = make_run()
        assert drift.check_due(tomorrow) == []
        end(other)
        assert drift.check_due(tomorrow)

    def test_not_when_nobody_wants_it(self, server, tomorrow, settings):
        drift.server_daily_check(server=server, enabled=False, actor=SYSTEM)
        assert drift.check_due(tomorrow) == []
        drift.server_daily_check(server=server, enabled=True, actor=SYSTEM)
        settings.DRIFT_HOUR = None
        assert drift.check_due(tomorrow) == []

    def test_not_when_it_was_never_provisioned(self, provision, end):
        end(provision(), "failed")
        assert drift.check_due(timezone.now() + timedelta(days=3)) == []

    def test_a_server_whose_recipe_is_gone_does_not_keep_the_others_waiting(self, server, tomorrow, make_device):
        Server.objects.create(
            name="a", server_type="gone", device=make_device("other"), status="active", secrets={},
            provisioned_at=server.provisioned_at,
        )  # fmt: skip
        assert [run.subject_id for run in drift.check_due(tomorrow + timedelta(hours=1))] == [server.pk]

    def test_looks_are_spread_over_the_hour(self, server):
        now = timezone.now()
        minutes = {drift.due_at(Server(pk=UUID(int=n)), now).minute for n in range(200)}
        assert len(minutes) > 30
