from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "forgelab.servers"

    def ready(self) -> None:
        from forgelab.runs.kinds import register
        from forgelab.servers import backups, kinds
        from forgelab.servers.changes import drift
        from forgelab.servers.provisioning import outcomes
        from forgelab.servers.removal import decommission

        register(kinds.PROVISION, outcomes.server_provisioned)
        register(kinds.PLAN, drift.server_checked)
        register(kinds.DECOMMISSION, decommission.server_decommissioned)
        register(backups.BACKUP, backups.backup_finished)
        register(backups.RESTORE)
