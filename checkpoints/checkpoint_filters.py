"""What the list of checkpoints is filtered by, beside its columns."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter


class KeptFilter(DropdownFilter):
    """Deleted checkpoints are out of the way until somebody asks for them."""

    title = "state"
    parameter_name = "kept"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Three views."""
        return [("", "Kept"), ("deleted", "Deleted"), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # noqa: ARG002
        """Kept ones unless chosen otherwise."""
        if self.value() == "all":
            return queryset
        return queryset.exclude(deleted_at=None) if self.value() == "deleted" else queryset.filter(deleted_at=None)


class TagFilter(DropdownFilter):
    """By one tag."""

    title = parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The tags that visible checkpoints have."""
        rows = model_admin.get_queryset(request).order_by()
        tags = rows.annotate(one=Func(F("tags"), function="unnest")).values_list("one", flat=True).distinct()
        return sorted((tag, tag) for tag in tags)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # noqa: ARG002
        """Checkpoints that have it."""
        return queryset.filter(tags__contains=[self.value()]) if self.value() else queryset


class RefFilter(DropdownFilter):
    """By one name."""

    title = parameter_name = "ref"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The names that visible checkpoints have."""
        rows = model_admin.get_queryset(request).exclude(refs=None).order_by("refs__name")
        return [(name, name) for name in rows.values_list("refs__name", flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # noqa: ARG002
        """Checkpoints that it means, one of each tenant."""
        return queryset.filter(refs__name=self.value()) if self.value() else queryset
