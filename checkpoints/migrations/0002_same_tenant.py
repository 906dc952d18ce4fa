from django.db import migrations

from inventory.tenancy import same_tenant


class Migration(migrations.Migration):
    dependencies = [("checkpoints", "0001_initial"), ("backups", "0002_same_tenant")]
    operations = [
        same_tenant("checkpoints_checkpoint", "parent_id", "checkpoints_checkpoint"),
        same_tenant("checkpoints_checkpoint", "run_id", "backups_run"),
        same_tenant("checkpoints_ref", "checkpoint_id", "checkpoints_checkpoint"),
    ]
