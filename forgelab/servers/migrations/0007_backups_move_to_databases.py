"""The records of backups belong to the databases' room; their table stays, and that room takes it over."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("servers", "0006_role_connection_check")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="BackupRecord")]),
    ]
