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
    from tests.web import homelab

    User.objects.create_superuser("demo", password="demo")
    recommended, busy, small, _away = homelab.devices()
    for device in (recommended, busy, small):
        homelab.measured(device)
    roll_up()
    server = homelab.server(recommended)
    homelab.run(recommended, "succeeded", server=server)
    homelab.run(busy, "running", server=homelab.server(busy, "laravel-staging", status="provisioning"))
    failed = homelab.run(busy, "failed", server=homelab.server(busy, "shop", status="failed"))
    failed.created_at = timezone.now() - timedelta(days=2, hours=3)
    failed.save(update_fields=["created_at"])


if __name__ == "__main__":
    main()
