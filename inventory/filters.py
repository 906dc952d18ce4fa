"""Filters of the list of devices."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from inventory.platforms import registry


class ValuesFilter(DropdownFilter):
    """A filter by a text field, with the values that visible rows have."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Values with their names."""
        rows = model_admin.get_queryset(request).order_by().exclude(**{self.parameter_name: ""})
        values = rows.values_list(self.parameter_name, flat=True).distinct()
        return sorted((value, self.name_of(value)) for value in values)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # noqa: ARG002
        """Rows with the chosen value."""
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset

    def name_of(self, value: str) -> str:
        """What people call a value."""
        return value


class PlatformFilter(ValuesFilter):
    """By platform."""

    title = parameter_name = "platform"

    def name_of(self, value: str) -> str:
        """The sheet's label."""
        return dict(registry.choices()).get(value, value)


class SiteFilter(ValuesFilter):
    """By site."""

    title = parameter_name = "site"


class RetiredFilter(DropdownFilter):
    """Retired devices are out of the way until somebody asks for them."""

    title = "service"
    parameter_name = "service"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Three views."""
        return [("", "In service"), ("retired", "Retired"), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # noqa: ARG002
        """In service unless chosen otherwise."""
        if self.value() == "all":
            return queryset
        return queryset.exclude(retired_at=None) if self.value() == "retired" else queryset.filter(retired_at=None)
