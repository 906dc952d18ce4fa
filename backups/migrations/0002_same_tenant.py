from django.db import migrations

from inventory.tenancy import same_tenant


class Migration(migrations.Migration):
    dependencies = [("backups", "0001_initial"), ("inventory", "0002_same_tenant")]
    operations = [
        same_tenant("backups_attempt", "run_id", "backups_run"),
        same_tenant("backups_attempt", "device_id", "inventory_device"),
        same_tenant("backups_snapshot", "device_id", "inventory_device"),
        same_tenant("backups_snapshot", "run_id", "backups_run"),
    ]
