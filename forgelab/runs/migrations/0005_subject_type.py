import django.db.models.deletion
from django.db import migrations, models


def set_subject_type(apps, schema_editor):
    """Until now every subject was a server."""
    Run = apps.get_model("runs", "Run")
    runs = Run.objects.filter(subject_id__isnull=False, subject_type__isnull=True)
    if runs.exists():
        ContentType = apps.get_model("contenttypes", "ContentType")
        server, _ = ContentType.objects.get_or_create(app_label="servers", model="server")
        runs.update(subject_type=server)


class Migration(migrations.Migration):

    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
        ('runs', '0004_requested_by_name'),
    ]

    operations = [
        migrations.AlterField(
            model_name='run',
            name='kind',
            field=models.CharField(help_text='What it does, such as server.provision.', max_length=32),
        ),
        migrations.AddField(
            model_name='run',
            name='subject_type',
            field=models.ForeignKey(blank=True, help_text='The model of what it is for, as its kind says.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='contenttypes.contenttype'),
        ),
        migrations.AlterField(
            model_name='run',
            name='subject_id',
            field=models.UUIDField(blank=True, db_index=True, help_text='The server or other thing it is for, which may be gone.', null=True),
        ),
        migrations.RunPython(set_subject_type, migrations.RunPython.noop),
    ]
