"""The role peers is called connection_check; what is noted of servers follows."""

from django.db import migrations

OLD, NEW = "peers", "connection_check"


def rename(apps, schema_editor):
    """In the record of what was put on the device, and among the components."""
    for server in apps.get_model("servers", "Server").objects.filter(managed__has_key=OLD).only("managed"):
        server.managed = {NEW if role == OLD else role: record for role, record in server.managed.items()}
        server.save(update_fields=["managed"])
    apps.get_model("servers", "Component").objects.filter(name=OLD).update(name=NEW)


class Migration(migrations.Migration):

    dependencies = [("servers", "0005_replaced_by")]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
