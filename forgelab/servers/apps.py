from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "forgelab.servers"

    def ready(self) -> None:
        from forgelab.runs import registry
        from forgelab.servers import services

        registry.on_finished(services.PROVISION, services.server_provisioned)
