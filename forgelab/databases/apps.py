from django.apps import AppConfig


class DatabasesConfig(AppConfig):
    name = "forgelab.databases"

    def ready(self) -> None:
        from forgelab.databases import backups
        from forgelab.databases.extension import DatabaseExtension
        from forgelab.runs import registry
        from forgelab.servers import extensions

        extensions.register(DatabaseExtension())
        registry.on_finished(backups.BACKUP, backups.backup_finished)
