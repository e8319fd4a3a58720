from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "forgelab.servers"

    def ready(self) -> None:
        from forgelab.runs import registry
        from forgelab.servers import kinds
        from forgelab.servers.changes.drift import plan_ended
        from forgelab.servers.provisioning.outcomes import server_provisioned
        from forgelab.servers.removal.decommission import server_decommissioned

        registry.on_finished(kinds.PROVISION, server_provisioned)
        registry.on_finished(kinds.PLAN, plan_ended)
        registry.on_finished(kinds.DECOMMISSION, server_decommissioned)
