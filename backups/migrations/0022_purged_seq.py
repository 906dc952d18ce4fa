from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("backups", "0021_remote_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="repository",
            name="purged_seq",
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
