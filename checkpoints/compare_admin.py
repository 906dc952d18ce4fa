"""The page that compares two snapshots, or two checkpoints. Every parameter is checked, every row is scoped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern

from backups.content import SECRETS
from backups.errors import BackupError
from backups.models import Snapshot
from backups.pages import Paged, attachment
from backups.store.patches import DiffCaps
from checkpoints.compare import Comparison, compare, file_diffs
from checkpoints.compare_page import CONTEXTS, VIEWS, Options, ShownDiff, shown_diffs
from checkpoints.models import Checkpoint
from checkpoints.patch import patch_of
from checkpoints.startup import STARTUP, compare_startup
from inventory.audit import record
from inventory.models import Device
from inventory.roles import may
from inventory.scoping import tenant_object_or_404

FILES_PER_PAGE = 20
UNCAPPED = DiffCaps(max_bytes=256 * 1024 * 1024, max_lines=5_000_000, seconds=60.0)  # of a file to download
CHOICES = 100  # versions in a select; older ones are chosen in the device's history
Version = Snapshot | Checkpoint


@dataclass(frozen=True)
class Compared:
    """What a page of differences shows, or why it shows none."""

    page: Page | None = None
    diffs: tuple[ShownDiff, ...] = ()
    refusal: str = ""


class Compares(Paged):
    """A page of versions that compares two of them. The class before it in the order of classes says what is older."""

    def get_urls(self) -> list[URLPattern]:
        """The difference on a page, and as a file."""
        return [
            self.own_page("compare/", "compare", self.compare_view),
            self.own_page("compare/patch/", "compare_patch", self.patch_view),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def before(self, version: Any) -> Any:
        """What a version is compared with where nothing else was asked for; None for a first one."""
        raise NotImplementedError

    def newest(self, version: Any) -> Any:
        """What is right where only the left side was named."""
        raise NotImplementedError

    def two(self, request: HttpRequest) -> tuple[Any, Any]:
        """The versions that were asked for; one of them may follow from the other. Raises Http404."""
        left, right = (
            self.row_or_404(request, request.GET[side]) if request.GET.get(side) else None for side in ("left", "right")
        )
        if left is None and right is None:
            raise Http404("Nothing to compare was named.")
        return left or self.before(right), right or self.newest(left)

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Two versions on a page."""
        left, right = self.two(request)
        if elsewhere := self.redirected(request, right):
            return elsewhere
        options = options_of(request, right)
        told(request, left, right, options, "compared")
        context = {
            "left": left,
            "right": right,
            "options": options,
            "contexts": list(CONTEXTS),
            "compared": compared(request, left, right, options),
            "device": device_of(request),
            "of_startup": of_startup(request),
            "compare_url": self.page_url("compare"),
            "patch_url": f"{self.page_url('compare_patch')}?{request.GET.urlencode()}",
        }
        return self.show(request, "netcairn/compare.html", right, **context, **self.choices(request, left, right))

    def redirected(self, request: HttpRequest, right: Any) -> HttpResponse | None:  # noqa: ARG002
        """Where the parameters mean another page."""
        return None

    def choices(self, request: HttpRequest, left: Any, right: Any) -> dict[str, Any]:  # noqa: ARG002
        """What else may be chosen for either side."""
        return {}

    def patch_view(self, request: HttpRequest) -> HttpResponse:
        """The same difference as a file for other programs: masked by right, never shortened."""
        left, right = self.two(request)
        if left is None:
            raise Http404("There is nothing before the first version.")
        options = options_of(request, right)
        device = device_of(request)
        told(request, left, right, options, "patch_downloaded")
        comparison = comparison_of(request, left, right, device)
        diffs = file_diffs(comparison, masked=options.masked, hide_volatile=not options.volatile, caps=UNCAPPED)
        return attachment(patch_of(diffs), f"{right.pk.hex[:12]}{'-masked' if options.masked else ''}.patch")


def options_of(request: HttpRequest, version: Version) -> Options:
    """How to look at it; what makes no sense is as if it were not said."""
    view, context = request.GET.get("view", ""), request.GET.get("around", "")
    return Options(
        view=view if view in VIEWS else VIEWS[0],
        context=context if context in CONTEXTS else "3",
        volatile=request.GET.get("volatile") == "show",
        masked=not may(request.user, SECRETS, version.tenant_id),
    )


def told(request: HttpRequest, left: Version | None, right: Version, options: Options, action: str) -> None:
    """Who saw a difference with its secrets, or took one along, in the audit log."""
    if options.masked and action == "compared":
        return
    about = str(right.device if isinstance(right, Snapshot) else right)
    detail = {"left": str(left.pk) if left else None, "right": str(right.pk), "masked": options.masked}
    record(right.tenant, by=request.user.get_username(), action=f"version.{action}", about=about, detail=detail)


def device_of(request: HttpRequest) -> Device | None:
    """The one device that is asked for. Raises Http404."""
    asked = request.GET.get("device")
    return tenant_object_or_404(request, Device, asked) if asked else None


def comparison_of(request: HttpRequest, left: Version, right: Version, device: Device | None) -> Comparison:
    """The two versions; or one, and what its device was seen to start with. Raises a BackupError."""
    if of_startup(request) and isinstance(right, Snapshot):
        return compare_startup(left, right)
    return compare(left, right, devices=[device.pk] if device else None)


def of_startup(request: HttpRequest) -> bool:
    """Whether the new side is what the device starts with."""
    return request.GET.get("of") == STARTUP


def compared(request: HttpRequest, left: Version | None, right: Version, options: Options) -> Compared:
    """The page of differences that was asked for; what is expected to go wrong is its sentence."""
    if left is None:
        return Compared(refusal="This is the first one: there is nothing before it to compare with.")
    device = device_of(request)
    try:
        comparison = comparison_of(request, left, right, device)
        page = Paginator(comparison.changes, FILES_PER_PAGE).get_page(request.GET.get("page", "1"))
        return Compared(page, tuple(shown_diffs(comparison, list(page.object_list), options)))
    except BackupError as error:
        return Compared(refusal=str(error))
