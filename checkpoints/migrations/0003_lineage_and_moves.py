from uuid import uuid4

from django.db import migrations, models
from django.db.models import F
from django.db.models.deletion import PROTECT

from inventory.tenancy import same_tenant


def remember_parents(apps, schema_editor):
    apps.get_model("checkpoints", "Checkpoint").objects.update(first_parent=F("parent"))


class Migration(migrations.Migration):
    dependencies = [("checkpoints", "0002_same_tenant")]
    operations = [
        migrations.AddField(
            "checkpoint",
            "first_parent",
            models.ForeignKey(
                editable=False,
                null=True,
                on_delete=PROTECT,
                related_name="first_children",
                to="checkpoints.checkpoint",
            ),
        ),
        migrations.AddField("checkpoint", "was_head", models.BooleanField(default=False, editable=False)),
        migrations.AddConstraint(
            "checkpoint", models.UniqueConstraint(fields=["run"], name="checkpoint_of_run_once")
        ),
        same_tenant("checkpoints_checkpoint", "first_parent_id", "checkpoints_checkpoint"),
        migrations.CreateModel(
            "RefMove",
            fields=[
                ("id", models.UUIDField(default=uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(editable=False, max_length=100)),
                ("before", models.UUIDField(editable=False, null=True)),
                ("after", models.UUIDField(editable=False, null=True)),
                ("moved_at", models.DateTimeField(editable=False)),
                ("moved_by", models.CharField(editable=False, max_length=150)),
                ("tenant", models.ForeignKey(on_delete=PROTECT, related_name="ref_moves", to="inventory.tenant")),
            ],
            options={"ordering": ["-moved_at"], "default_permissions": ("view",)},
        ),
        migrations.AddIndex(
            "refmove", models.Index(fields=["tenant", "name", "-moved_at"], name="ref_move_newest")
        ),
        migrations.AlterModelOptions(
            "checkpoint",
            options={
                "default_permissions": ("add", "change", "view", "delete"),
                "ordering": ["-created_at", "-seq"],
                "permissions": [
                    ("restore_record", "Can go back to a checkpoint in the record"),
                    ("export_checkpoint", "Can export a checkpoint's files"),
                    ("collect_garbage", "Can collect garbage"),
                ],
            },
        ),
        # Last: PostgreSQL alters no table that has deferred checks pending.
        migrations.RunPython(remember_parents, migrations.RunPython.noop),
    ]
