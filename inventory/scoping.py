"""What a user may see and do: the base of every admin page.

Whatever shows rows, offers choices, accepts ids or deletes goes through here, so that a page cannot forget its tenant.
Which rows a user may know of is said in `inventory/visibility.py`, what they may do with them in `inventory/roles.py`.
"""

from __future__ import annotations

import copy
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import ForeignKey, ManyToManyField, Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from inventory import trails
from inventory.models import Tenant
from inventory.roles import AnyUser, holds, is_superuser, may, roles_of, tenant_id_of, tenants_with
from inventory.visibility import (
    has_tenant,
    hidden_relatives,
    tenant_object_or_404,
    visible,
    visible_log_entries,
    visible_rows,
)

__all__ = [
    "TenantAutocompleteFilter",
    "TenantModelAdmin",
    "TenantRelatedFilter",
    "TenantStackedInline",
    "TenantTabularInline",
    "tenant_object_or_404",
    "visible",
    "visible_log_entries",
    "visible_rows",
]


MANY = 100  # tenants; to draw a select of a thousand takes half the time of a list, and nobody chooses from one


def has_many_tenants(user: AnyUser) -> bool:
    """Whether a select of the user's tenants would be too long; asks the database for those who see all alone."""
    if is_superuser(user):
        return Tenant.objects.visible_to(user)[: MANY + 1].count() > MANY
    return len(roles_of(user)) > MANY


class TenantRelatedFilter(RelatedDropdownFilter):
    """A filter by a related row that offers only visible rows."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:  # noqa: ARG002  (Django's signature)
        """The choices of the list."""
        return [(row.pk, str(row)) for row in visible_rows(field.related_model, request.user)]


class ScopedAutocompleteForm(AutocompleteDropdownForm):
    """Names the chosen row only where it is visible."""

    def __init__(self, request: HttpRequest, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, name, *args, **kwargs)
        self.fields[name].queryset = visible(self.fields[name].queryset.all(), request.user)


class TenantAutocompleteFilter(AutocompleteSelectFilter):
    """The same for many rows: found by typing."""

    form_class = ScopedAutocompleteForm


class Scoped:
    """What pages and inlines share: rows, choices and permissions of the user's tenants."""

    opts: Any

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Visible rows only."""
        return visible(super().get_queryset(request), request.user)  # type: ignore[misc]

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet:
        """What a select offers, and what a form accepts: the same visible rows."""
        rows = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        if rows is None:
            rows = db_field.remote_field.model._default_manager.using(db)
        if db_field.remote_field.model is Tenant:
            return tenants_with(request.user, self.permission("add")).order_by("name")
        return visible(rows.all(), request.user)

    def permission(self, verb: str) -> str:
        """`app.verb_model`"""
        return f"{self.opts.app_label}.{get_permission_codename(verb, self.opts)}"

    def allows(self, request: HttpRequest, verb: str, row: Model | None = None) -> bool:
        """Whether the user may do it: with the row, or without one, anywhere. Not where the model has no such verb."""
        if verb not in self.opts.default_permissions:
            return False
        return may(request.user, self.permission(verb), tenant_id_of(row) if row is not None else None)


class Titled:
    """Lists that are called by what they list, as the browser's tab shows it among others."""

    opts: Any

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Django's own title is the same for all: select something to change."""
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})  # type: ignore[misc]


class TenantModelAdmin(Titled, Scoped, ModelAdmin):
    """An admin page that keeps to the user's tenants. The tenant of a row is chosen once and stays."""

    list_filter_submit = True
    list_before_template = "netcairn/saved_filters.html"
    warn_unsaved_form = True

    def has_view_permission(self, request: HttpRequest, obj: Model | str | None = None) -> bool:
        """Whoever may change may look."""
        return any(self.has_verb(request, verb, obj) for verb in ("view", "change"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """In any tenant; the form offers those where it holds."""
        return self.allows(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Model | str | None = None) -> bool:
        """In the row's tenant."""
        return self.has_verb(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | str | None = None) -> bool:
        """In the row's tenant."""
        return self.has_verb(request, "delete", obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the menu shows the app."""
        return any(self.get_model_perms(request).values())

    def has_verb(self, request: HttpRequest, verb: str, obj: Model | str | None) -> bool:
        """Whether the user may do it with the row, which unfold hands over as an id."""
        if obj is None or isinstance(obj, Model):
            return self.allows(request, verb, obj)
        row = self.get_object(request, str(obj))
        return row is not None and self.allows(request, verb, row)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """The tenant of a row that exists is fixed: its history and its secrets are bound to it."""
        fixed = ("tenant",) if obj is not None and has_tenant(self.model) else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Who has one tenant need not choose it."""
        initial = super().get_changeform_initial_data(request)
        tenants = list(tenants_with(request.user, self.permission("add"))[:2]) if has_tenant(self.model) else []
        return {"tenant": tenants[0].pk, **initial} if len(tenants) == 1 else initial

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A form whose every choice of a row lies in the row's tenant."""
        return narrowed(super().get_form(request, obj, change=change, **kwargs), request.user, obj)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Filters by a relation offer visible rows only."""
        many = has_many_tenants(request.user)
        return [scoped_filter(self.model, entry, many=many) for entry in super().get_list_filter(request)]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without the actions that the user may not carry out in any tenant."""
        actions = super().get_actions(request)
        return {name: entry for name, entry in actions.items() if self.offers(request, entry[0])}

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        """The same for the buttons above a list."""
        return [action for action in super().get_actions_list(request) if self.offers(request, action.method)]

    def get_actions_row(self, request: HttpRequest) -> list[Any]:
        """The same for the menu of a row."""
        return [action for action in super().get_actions_row(request) if self.offers(request, action.method)]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The same for the buttons of one row's page, and only those that make sense for the row as it is."""
        row = self.get_object(request, str(object_id))
        actions = super().get_actions_detail(request, object_id) if row is not None else []
        before = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [
            action
            for action in actions
            if self.offers(request, action.method, row)
            and self.makes_sense(request, row, action.action_name.removeprefix(before))
        ]

    def makes_sense(self, request: HttpRequest, row: Any, action: str) -> bool:  # noqa: ARG002
        """Whether the row stands so that the action of this name can be carried out: a button that could only refuse
        is not offered."""
        return True

    def offers(self, request: HttpRequest, action: Any, row: Model | None = None) -> bool:
        """Whether the user holds the permission that an action names (`inventory/confirmation.py`)."""
        permission = getattr(action, "permission", None)
        # A button that only waits for a second factor stays: whoever presses it is told.
        return permission is None or holds(request.user, permission, tenant_id_of(row) if row is not None else None)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], list[str]]:
        """Nothing is deleted, or even named, that would take along a row of a tenant that the user may not see."""
        hidden = hidden_relatives(objs, request.user)
        if hidden:
            return [], {}, set(), [f"{hidden} rows that belong to tenants of others"]
        return super().get_deleted_objects(objs, request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The last gate before the row is written."""
        if not self.allows(request, "change" if change else "add", obj):
            raise PermissionDenied
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django tells of each new row here; the audit log hears of it, too."""
        trails.left(request, "added", [obj])
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The same for a changed one, with the names of its fields."""
        trails.left(request, "changed", [obj], trails.changed_fields(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The same for those that go."""
        trails.left(request, "deleted", queryset)
        return super().log_deletions(request, queryset)

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """What a page must not do, found before it does it."""
        return [*super().check(**kwargs), *page_errors(self)]


class TenantInline(Scoped):
    """What the inlines share; permissions are those in the parent row's tenant."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may change may look."""
        return any(self.allows(request, verb, obj) for verb in ("view", "change"))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """In the parent's tenant."""
        return self.allows(request, "add", obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """In the parent's tenant."""
        return self.allows(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """In the parent's tenant."""
        return self.allows(request, "delete", obj)

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        """Forms whose every choice of a row lies in the parent's tenant."""
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.form = narrowed(formset.form, request.user, obj)
        return formset


class TenantTabularInline(TenantInline, TabularInline):
    """Rows of a tenant below another row, as a table."""


class TenantStackedInline(TenantInline, StackedInline):
    """Rows of a tenant below another row, one below the other."""


def narrowed(form: Any, user: AnyUser, row: Model | None) -> Any:
    """The form class with every choice of a row scoped: visible, and of the row's own tenant where there is one."""
    tenant_id = tenant_id_of(row) if row is not None else None
    for name, field in form.base_fields.items():
        if isinstance(field, forms.ModelChoiceField):
            form.base_fields[name] = narrowed_field(field, user, tenant_id)
    return form


def narrowed_field(field: Any, user: AnyUser, tenant_id: UUID | None) -> Any:
    """A copy (a declared field is shared by all requests) that offers and accepts only what it may."""
    own = copy.deepcopy(field)
    rows = visible(own.queryset.all(), user)
    if has_tenant(rows.model):
        rows = rows.filter(tenant_id=tenant_id) if tenant_id else rows.select_related("tenant")
        if not tenant_id and Tenant.objects.visible_to(user)[:2].count() > 1:
            own.label_from_instance = lambda row: f"{row} ({row.tenant})"
    own.queryset = rows
    return own


def scoped_filter(model: type[Model], entry: Any, *, many: bool = False) -> Any:
    """A filter named by a relation, with the scoped class in place of Django's, which shows all tenants' names."""
    if isinstance(entry, str) and is_relation(model, entry):
        return (entry, TenantAutocompleteFilter if many and entry == "tenant" else TenantRelatedFilter)
    return entry


def is_relation(model: type[Model], name: str) -> bool:
    """Whether the name is a foreign key or many-to-many field of the model."""
    try:
        return isinstance(model._meta.get_field(name), ForeignKey | ManyToManyField)
    except FieldDoesNotExist:
        return False


def page_errors(page: TenantModelAdmin) -> list[CheckMessage]:
    """System checks of one page: E101 raw ids, E102 filters past the scope, E103 editable lists."""
    found: list[CheckMessage] = []
    name = type(page).__name__
    if page.raw_id_fields:
        found.append(Error(f"{name} has raw_id_fields, which name any row of any tenant.", id="netcairn.E101"))
    for entry in page.list_filter:
        path, kind = (entry, None) if not isinstance(entry, tuple | list) else entry
        if isinstance(path, str) and leaks(page.model, path, kind):
            found.append(Error(f"{name} filters by {path!r} without a scope.", id="netcairn.E102"))
    if page.list_editable:
        found.append(Error(f"{name} has list_editable, which knows no permission per row.", id="netcairn.E103"))
    return found


def leaks(model: type[Model], path: str, kind: Any) -> bool:
    """Whether a list filter would show rows or values of other tenants: Django scopes own fields, not related ones."""
    if kind is None:
        return "__" in path
    own_class = isinstance(kind, type) and issubclass(kind, TenantRelatedFilter | TenantAutocompleteFilter)
    related = isinstance(kind, type) and issubclass(kind, admin.RelatedFieldListFilter)
    return "__" in path or (related and not own_class) or (is_relation(model, path) and not own_class)
