"""The records of backups, with their rows, from the servers' room to this one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("servers", "0007_backups_move_to_databases")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="BackupRecord",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "listing",
                            models.JSONField(
                                blank=True,
                                default=dict,
                                help_text="What `forgelab-backup list --json` said, cleaned.",
                            ),
                        ),
                        (
                            "read_at",
                            models.DateTimeField(blank=True, help_text="When the device was last asked.", null=True),
                        ),
                        (
                            "server",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="backup_record",
                                to="servers.server",
                            ),
                        ),
                    ],
                    options={"db_table": "servers_backuprecord"},
                ),
            ],
        ),
        migrations.AlterModelTable(name="backuprecord", table=None),
    ]
