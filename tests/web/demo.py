"""A homelab to look at: run `python -m tests.web.demo` against an empty database, then log in as demo / demo."""

from __future__ import annotations

import os
from datetime import timedelta

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forgelab.settings")
    django.setup()
    from django.utils import timezone

    from forgelab.accounts.models import User
    from forgelab.devices.metrics.rollup import roll_up
    from tests import factories

    User.objects.create_superuser("demo", password="demo")
    recommended, busy, small, _away = factories.devices()
    for device in (recommended, busy, small):
        factories.measured(device)
    roll_up()
    server = factories.server(recommended)
    factories.run(recommended, "succeeded", server=server)
    factories.run(busy, "running", server=factories.server(busy, "laravel-staging", status="provisioning"))
    failed = factories.run(busy, "failed", server=factories.server(busy, "shop", status="failed"))
    failed.created_at = timezone.now() - timedelta(days=2, hours=3)
    failed.save(update_fields=["created_at"])


if __name__ == "__main__":
    main()
