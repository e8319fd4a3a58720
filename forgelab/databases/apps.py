from django.apps import AppConfig


class DatabasesConfig(AppConfig):
    name = "forgelab.databases"

    def ready(self) -> None:
        from forgelab.databases import backups
        from forgelab.databases.extension import DatabaseExtension
        from forgelab.runs.kinds import register
        from forgelab.servers import extensions

        extensions.register(DatabaseExtension())
        register(backups.BACKUP, backups.backup_finished)
        register(backups.RESTORE)
