from django.db import migrations

from inventory.tenancy import same_tenant


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]
    operations = [same_tenant("inventory_device", "credential_id", "inventory_credential")]
