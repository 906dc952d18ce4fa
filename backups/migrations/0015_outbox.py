import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('backups', '0014_days_and_indexes'),
        ('inventory', '0010_tenant_names'),
    ]

    operations = [
        migrations.CreateModel(
            name='Outbox',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(editable=False, max_length=20)),
                ('seq', models.BigIntegerField(editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('not_before', models.DateTimeField(editable=False, null=True)),
                ('error', models.TextField(blank=True, editable=False)),
                ('tenant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inventory.tenant')),
            ],
            options={
                'verbose_name_plural': 'outbox',
                'ordering': ['id'],
                'default_permissions': (),
                'indexes': [models.Index(fields=['kind', 'tenant', 'id'], name='outbox_by_tenant')],
            },
        ),
    ]
