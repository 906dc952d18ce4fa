"""Which rows a user may know of, whatever page asks.

It fails closed: a model that says nothing about tenants is for superusers only.
"""

from __future__ import annotations

from typing import Any, cast

from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import NestedObjects
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist, ValidationError
from django.db import router
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from inventory.models import Tenant
from inventory.roles import AnyUser, is_superuser


def visible(rows: QuerySet, user: AnyUser) -> QuerySet:
    """Of these rows, those that the user may know of."""
    if hasattr(rows, "visible_to"):
        return rows.visible_to(user)
    if is_superuser(user):
        return rows
    if has_tenant(rows.model):
        return rows.filter(tenant__in=Tenant.objects.visible_to(user))
    if rows.model is User:
        return rows.filter(pk__in=colleagues(user))
    return rows.none()


def visible_rows(model: type[Model], user: AnyUser) -> QuerySet:
    """All rows of a model that the user may know of."""
    return visible(model._default_manager.all(), user)


def has_tenant(model: type[Model]) -> bool:
    """Whether rows of the model belong to a tenant."""
    try:
        return model._meta.get_field("tenant").related_model is Tenant
    except FieldDoesNotExist:
        return False


def colleagues(user: AnyUser) -> QuerySet:
    """Ids of the people who share a tenant with the user."""
    return User.objects.filter(memberships__tenant__in=Tenant.objects.visible_to(user)).values("pk")


def tenant_object_or_404(request: HttpRequest, model: type[Model], pk: object) -> Any:
    """The row, where the user may know of it; else 404, exactly as for a row that does not exist."""
    try:
        return visible_rows(model, request.user).get(pk=pk)
    except (ObjectDoesNotExist, ValidationError, ValueError, TypeError) as error:
        raise Http404(f"There is no such {model._meta.verbose_name}.") from error


def visible_log_entries(user: AnyUser, limit: int = 10) -> list[LogEntry]:
    """The newest admin actions of the user on rows that the user may still know of.

    An entry keeps the name of its row for ever; after somebody has left a tenant, the name is none of their business.
    """
    newest = LogEntry.objects.filter(user_id=cast(int, user.pk)).select_related("content_type").order_by("-action_time")
    entries = [entry for entry in newest[: limit * 5] if entry.content_type is not None]
    if is_superuser(user):
        return entries[:limit]
    return [entry for entry in entries if is_visible_entry(entry, user)][:limit]


def is_visible_entry(entry: LogEntry, user: AnyUser) -> bool:
    """Whether the row of an entry exists and the user may know of it."""
    model = cast(ContentType, entry.content_type).model_class()
    try:
        return model is not None and visible_rows(model, user).filter(pk=entry.object_id).exists()
    except (ValidationError, ValueError):
        return False


def hidden_relatives(objs: Any, user: AnyUser) -> int:
    """How many rows that the user may not see would be deleted along with these, or stand in the way."""
    rows = list(objs)
    if not rows or is_superuser(user):
        return 0
    collector = NestedObjects(using=router.db_for_write(type(rows[0])), origin=objs)
    collector.collect(rows)
    by_model: dict[type[Model], set[Any]] = {}
    for row in (*(row for found in collector.model_objs.values() for row in found), *collector.protected):
        by_model.setdefault(type(row), set()).add(row.pk)
    return sum(
        len(pks) - visible_rows(model, user).filter(pk__in=pks).count()
        for model, pks in by_model.items()
        if has_tenant(model)
    )
