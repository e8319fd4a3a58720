"""A server as `--json` prints it."""

from __future__ import annotations

from forgelab.servers.models import Server


def server_data(server: Server) -> dict[str, object]:
    return {
        "id": str(server.pk),
        "name": server.name,
        "server_type": server.server_type,
        "environment": server.environment,
        "status": server.status,
        "status_detail": server.status_detail,
        "drift": {
            "count": server.drift_count,
            "since": server.drift_since and server.drift_since.isoformat(),
            "checked_at": server.drift_checked_at and server.drift_checked_at.isoformat(),
            "watch": server.drift_watch,
        },
        "device": {"id": str(server.device_id), "name": server.device.name, "address": server.device.address},
        "config": server.config,
        "placement": server.placement,
        "memory_mb": server.memory_mb,
        "storage_mb": server.storage_mb,
        "components": [{"name": c.name, "title": c.title, "version": c.version} for c in server.components.all()],
    }
