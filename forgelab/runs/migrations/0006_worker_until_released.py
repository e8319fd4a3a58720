from django.db import migrations, models


def release_ended(apps, schema_editor):
    """A worker's pid is kept only until its thread is done with the run."""
    Run = apps.get_model("runs", "Run")
    Run.objects.filter(worker_pid__isnull=False).exclude(status__in=("queued", "running")).update(worker_pid=None)


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes no index on a table with rows changed in the same transaction

    dependencies = [
        ('runs', '0005_subject_type'),
    ]

    operations = [
        migrations.RunPython(release_ended, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='run',
            name='worker_pid',
            field=models.PositiveIntegerField(blank=True, help_text="The worker's process, until its thread is done with the run.", null=True),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('worker_pid__isnull', False)), fields=['worker_pid'], name='held_runs'),
        ),
    ]
