"""The database refuses to change audit entries; and whoever was the first user is the owner, where nobody is yet."""

from typing import Any

from django.db import migrations

from forgelab.accounts import append_only


def make_owner(apps: Any, schema_editor: Any) -> None:
    User = apps.get_model("accounts", "User")
    active = User.objects.filter(is_active=True)
    first = active.order_by("date_joined", "pk").first()
    if first and not active.filter(is_superuser=True).exists():
        first.is_superuser = first.is_staff = True
        first.save(update_fields=["is_superuser", "is_staff"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit_entry")]

    operations = [
        migrations.RunPython(make_owner, migrations.RunPython.noop),
        migrations.RunPython(append_only.migrate, append_only.migrate_back),
    ]
