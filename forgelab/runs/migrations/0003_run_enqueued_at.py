from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0002_run_request'),
    ]

    operations = [
        migrations.RenameField(model_name='run', old_name='rung_at', new_name='enqueued_at'),
        migrations.AlterField(
            model_name='run',
            name='enqueued_at',
            field=models.DateTimeField(blank=True, help_text='When its id was last sent to a worker.', null=True),
        ),
    ]
