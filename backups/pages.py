"""Pages of the admin that are not a form: scoped, read-only, in the theme's frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe
from unfold.contrib.filters.admin import RangeDateTimeFilter

from inventory.roles import may
from inventory.scoping import TenantModelAdmin, tenant_object_or_404

PER_PAGE = 50


class DateFilter(RangeDateTimeFilter):
    """From a moment to a moment, called by what people look for and not by its column."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Where it filters is the list's business."""
        super().__init__(*args, **kwargs)
        self.title = "date"


class ChosenOnce(Paginator):
    """Pages of rows that are dear to choose: they are chosen once, for their number and for the page alike.

    The rows of a page are found by their ids, so that the database judges no others a second time.
    """

    object_list: Any

    @cached_property
    def ids(self) -> list[Any]:
        """All that were chosen, in their order."""
        return list(self.object_list.values_list("pk", flat=True))

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return len(self.ids)

    def page(self, number: int | str) -> Page:
        """The rows between the page's bounds."""
        page = super().page(number)
        mine = self.ids[page.start_index() - 1 : page.end_index()] if self.ids else []
        page.object_list = self.object_list.filter(pk__in=mine)
        return page


class Paged:
    """A ModelAdmin with pages of its own beside Django's form. Mixed in before TenantModelAdmin."""

    model: type[Model]
    opts: Any
    admin_site: Any
    actions_detail: Any

    def own_page(self, route: str, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
        """The address of a page that only shows: it answers to nothing but GET, and to nobody who is not logged in."""
        return path(route, self.admin_site.admin_view(require_safe(view)), name=self.page_name(name))

    def page_name(self, name: str) -> str:
        """What `reverse` calls one of our pages, without the admin's prefix."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def page_url(self, name: str, *args: Any, **query: Any) -> str:
        """The address of one of our pages."""
        asked = {key: value for key, value in query.items() if value not in (None, "")}
        return reverse(f"admin:{self.page_name(name)}", args=args) + (f"?{urlencode(asked)}" if asked else "")

    def row_or_404(self, request: HttpRequest, object_id: UUID | str, permission: str = "") -> Any:
        """The row, where the user may know of it (else 404) and holds the permission for its tenant (else 403).

        Without a permission: where the user may look at rows of this kind.
        """
        row = tenant_object_or_404(request, self.model, object_id)
        allowed = may(request.user, permission, row.tenant_id) if permission else self.has_view_permission(request, row)  # type: ignore[attr-defined]
        if not allowed:
            raise PermissionDenied
        return row

    def show(
        self, request: HttpRequest, template: str, row: Model | None = None, *, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page in the theme's frame; with a row, below its name and with its buttons."""
        setattr(request, "current_app", self.admin_site.name)  # noqa: B010  (Django's, unknown to its types)
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts if row else None,  # names the way to the row; a page without one is called by its title
            "title": self.called(row) if row else self.opts.verbose_name_plural.capitalize(),
            "original": row,
            "actions_detail": self.buttons(request, row) if row else [],
        }
        return TemplateResponse(request, template, frame | context, status=status)

    def called(self, row: Any) -> str:
        """The page's name in the browser's tab: with the device that the row is of."""
        device = getattr(row, "device", None)
        return f"{device} · {row}" if device else str(row)

    def buttons(self, request: HttpRequest, row: Model) -> list[Any]:
        """The row's actions as the theme draws them on its own pages."""
        allowed = self.get_actions_detail(request, str(row.pk))  # type: ignore[attr-defined]
        return self._get_actions_navigation(self.actions_detail, allowed, str(row.pk))  # type: ignore[attr-defined]


class RecordAdmin(Paged, TenantModelAdmin):
    """Rows that the program writes and people only read: a list, and a page in place of a form."""

    page_template = ""
    list_display_links: Any = None
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  (Django's signature)
        """Nobody adds a record by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | str | None = None) -> bool:  # noqa: ARG002
        """Nobody changes one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | str | None = None) -> bool:  # noqa: ARG002
        """Nobody deletes one here; what ends a record is an action with a plan."""
        return False

    def _changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None,
        form_url: str,  # noqa: ARG002
        extra_context: Any,
    ) -> HttpResponse:
        """Our page where Django would make a form, so that every link to the row leads to it."""
        if object_id is None:
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.row_or_404(request, unquote(object_id))
        if not self.page_template:  # its list says everything
            return HttpResponseRedirect(self.page_url("changelist"))
        return self.show(request, self.page_template, row, **(extra_context or {}), **self.page_context(request, row))

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:  # noqa: ARG002
        """What the row's page shows; a higher app adds to it."""
        return {}


def page_of(rows: QuerySet, request: HttpRequest, *, per_page: int = PER_PAGE) -> Page:
    """The asked page of many rows; the nearest one there is where the number makes no sense."""
    return Paginator(rows, per_page).get_page(request.GET.get("page", "1"))


def attachment(content: bytes, name: str) -> HttpResponse:
    """Bytes to keep as a file. Never as something that a browser shows: a device may have said anything."""
    told = {"Content-Disposition": str(content_disposition_header(True, name)), "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type="text/plain; charset=utf-8", headers=told)
