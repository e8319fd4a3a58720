from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "forgelab.servers"

    def ready(self) -> None:
        from forgelab.runs import registry
        from forgelab.servers import backups
        from forgelab.servers.changes import drift
        from forgelab.servers.provisioning import checks, outcomes
        from forgelab.servers.removal import decommission

        registry.on_finished(checks.PROVISION, outcomes.server_provisioned)
        registry.on_finished(checks.PLAN, drift.server_checked)
        registry.on_finished(checks.DECOMMISSION, decommission.server_decommissioned)
        registry.on_finished(backups.BACKUP, backups.backup_finished)
