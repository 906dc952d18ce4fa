"""Tabs of a device: the checkpoints of its tenant with the version that each holds, and what was put back onto it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from backups.models import Snapshot
from backups.pages import page_of
from checkpoints.models import Checkpoint, Restore
from checkpoints.restore_pages import MARKS
from inventory.roles import may

TABS = (
    ("checkpoints", "Checkpoints", "checkpoints.view_checkpoint"),
    ("restores", "Restores", "checkpoints.view_restore"),
)


@dataclass(frozen=True)
class Moment:
    """A checkpoint as one device sees it."""

    checkpoint: Checkpoint
    version: Snapshot | None  # None: the device had none yet, or chosen others are in it


class DeviceTabs:
    """Two tabs more. Mixed in before the page of devices."""

    def get_urls(self) -> list[URLPattern]:
        """Before those that take anything for the id of a device."""
        views = (("checkpoints", self.checkpoints), ("restores", self.restores))
        own = [self.own_page(f"<uuid:object_id>/{name}/", name, view) for name, view in views]  # type: ignore[attr-defined]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def head(self, request: HttpRequest, device: Any, tab: str) -> dict[str, Any]:
        """With the two tabs before the last one, for those who may see what is on them."""
        head: dict[str, Any] = super().head(request, device, tab)  # type: ignore[misc]
        mine = [
            (name, title, self.page_url(name, device.pk))  # type: ignore[attr-defined]
            for name, title, permission in TABS
            if may(request.user, permission, device.tenant_id)
        ]
        looks = may(request.user, "checkpoints.view_restore", device.tenant_id)
        unknown = Restore.objects.filter(device=device).unresolved().first() if looks else None
        return head | {"tabs": [*head["tabs"][:-1], *mine, head["tabs"][-1]], "unknown_restore": unknown}

    def checkpoints(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Moments to go back to."""
        device = self.row_or_404(request, object_id)  # type: ignore[attr-defined]
        self.row_or_404(request, object_id, TABS[0][2])  # type: ignore[attr-defined]
        kept = Checkpoint.objects.filter(tenant=device.tenant_id).kept().prefetch_related("refs")
        page = page_of(kept, request)
        versions = list(Snapshot.objects.filter(device=device).defer("files").order_by("seq"))
        context = self.head(request, device, "checkpoints")
        context |= {"page": page, "moments": [moment_of(checkpoint, versions) for checkpoint in page]}
        return self.show(request, "netcairn/device_checkpoints.html", device, **context)  # type: ignore[attr-defined]

    def restores(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """What was put back, by whom, and what came of it."""
        device = self.row_or_404(request, object_id)  # type: ignore[attr-defined]
        self.row_or_404(request, object_id, TABS[1][2])  # type: ignore[attr-defined]
        rows = Restore.objects.filter(device=device).select_related("checkpoint", "version").order_by("-requested_at")
        page = page_of(rows, request)
        context = self.head(request, device, "restores")
        context |= {"page": page, "restores": [(row, MARKS[row.state]) for row in page]}
        return self.show(request, "netcairn/device_restores.html", device, **context)  # type: ignore[attr-defined]


def moment_of(checkpoint: Checkpoint, versions: Sequence[Snapshot]) -> Moment:
    """The checkpoint with the newest of the device's versions, given in the order of their numbers, up to its own."""
    at = bisect_right(versions, checkpoint.seq, key=lambda version: version.seq)
    return Moment(checkpoint, versions[at - 1] if at and checkpoint.whole else None)
