from django.db import migrations

from inventory.tenancy import same_tenant


class Migration(migrations.Migration):
    dependencies = [("inventory", "0007_reaching_devices")]
    operations = [
        same_tenant("inventory_device", "working_credential_id", "inventory_credential"),
        same_tenant("inventory_device", "jump_host_id", "inventory_jumphost"),
        same_tenant("inventory_jumphost", "credential_id", "inventory_credential"),
        same_tenant("inventory_jumphost", "through_id", "inventory_jumphost"),
    ]
