from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "forgelab.servers"

    def ready(self) -> None:
        from forgelab.runs.kinds import register
        from forgelab.servers import kinds
        from forgelab.servers.changes.drift import plan_ended
        from forgelab.servers.provisioning.outcomes import server_provisioned
        from forgelab.servers.removal.decommission import server_decommissioned

        register(kinds.PROVISION, server_provisioned)
        register(kinds.PLAN, plan_ended)
        register(kinds.DECOMMISSION, server_decommissioned)
