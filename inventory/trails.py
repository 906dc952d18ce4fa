"""What the pages of the admin leave in the audit log: rows that were added, changed and deleted, and pressed buttons.

Django tells a page of every change once, after it was written and in the same transaction; that one place is used, so
that no form can forget to leave its trace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest

from inventory.audit import record
from inventory.models import Membership, Tenant

NAMED = 100  # rows that an entry names one by one


def name_of(request: HttpRequest) -> str:
    """Who asks."""
    return request.user.get_username()


def kind_of(row: Model) -> str:
    """The word before the dot of an action's code."""
    return str(row._meta.model_name)


def tenant_of(row: Model) -> Tenant | None:
    """Whose chain an entry about the row belongs to."""
    return row if isinstance(row, Tenant) else getattr(row, "tenant", None)


def left(request: HttpRequest, action: str, rows: Iterable[Model], detail: dict[str, object] | None = None) -> None:
    """An entry per tenant about what was done with these rows."""
    by_tenant: dict[Any, list[Model]] = defaultdict(list)
    for row in rows:
        by_tenant[getattr(tenant_of(row), "pk", None)].append(row)
    for pk in sorted(by_tenant, key=str):  # always in one order: each entry holds its chain until the end
        some = by_tenant[pk]
        told = detail or {}
        if len(some) > 1:
            told = {**told, "rows": [str(row) for row in some[:NAMED]], "number": len(some)}
        about = str(some[0]) if len(some) == 1 else f"{len(some)} {some[0]._meta.verbose_name_plural}"
        record(tenant_of(some[0]), by=name_of(request), action=f"{kind_of(some[0])}.{action}", about=about, detail=told)


def changed_fields(message: Any) -> dict[str, object]:
    """Of Django's account of a change the names of fields and rows, and never a value: it may be a secret."""
    told = message if isinstance(message, list) else []
    fields = [name for one in told for name in one.get("changed", {}).get("fields", ()) if "name" not in one["changed"]]
    return {"fields": fields} if fields else {}


def memberships_left(request: HttpRequest, formsets: Iterable[Any]) -> None:
    """An entry in the tenant's chain for each right that was given, changed or taken."""
    for formset in formsets:
        if formset.model is not Membership:
            continue
        changed = [row for row, _ in formset.changed_objects]
        done = (("given", formset.new_objects), ("changed", changed), ("taken", formset.deleted_objects))
        for verb, rows in done:
            for row in sorted(rows, key=lambda one: str(one.tenant_id)):
                role, person = str(row.role), row.user.get_username()
                record(
                    row.tenant, by=name_of(request), action=f"membership.{verb}", about=person, detail={"role": role}
                )


def rights_of(user: User) -> dict[str, object]:
    """What Django itself lets a person do, in words."""
    return {
        "active": user.is_active,
        "staff": user.is_staff,
        "superuser": user.is_superuser,
        "groups": sorted(group.name for group in user.groups.all()),
        "permissions": sorted(permission.codename for permission in user.user_permissions.all()),
    }
