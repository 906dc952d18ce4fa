from typing import Any

import django.db.models.functions.text
from django.db import migrations, models
from django.utils import timezone


def tell_apart(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001  (how Django calls it)
    """Give tenants that only capitals told apart names of their own: the oldest keeps its name, the others get a number.

    Nothing but the name changes; everything of a tenant hangs on its id. An alarm tells whom it concerns.
    """
    tenants = apps.get_model("inventory", "Tenant").objects
    taken = {name.lower() for name in tenants.values_list("name", flat=True)}
    seen = set()
    for tenant in tenants.order_by("created_at", "id"):
        if tenant.name.lower() not in seen:
            seen.add(tenant.name.lower())
            continue
        before, tenant.name = tenant.name, free_name(tenant.name, taken)
        taken.add(tenant.name.lower())
        seen.add(tenant.name.lower())
        tenant.save(update_fields=["name"])
        apps.get_model("inventory", "Notice").objects.create(
            tenant=tenant,
            code="tenant.renamed",
            about=tenant.name,
            text=f"There were two tenants {before}, which only capitals told apart. This one is {tenant.name} now: "
            "give it the name that you want.",
            level="alarm",
            first_at=timezone.now(),
            last_at=timezone.now(),
        )


def free_name(name: str, taken: set[str]) -> str:
    """The name with the first number that makes it one of its own."""
    number = 2
    while f"{name[:90]}-{number}".lower() in taken:
        number += 1
    return f"{name[:90]}-{number}"


class Migration(migrations.Migration):
    dependencies = [("inventory", "0009_quota_and_secrets")]
    operations = [
        migrations.RunPython(tell_apart, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"),
                name="tenant_name_once",
                violation_error_message="There is a tenant of this name already; capitals do not tell names apart.",
            ),
        ),
    ]
