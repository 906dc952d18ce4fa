"""What the pages of restores share, of one device and of several: buttons by state, and a part that shows progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from backups.pages import RecordAdmin
from checkpoints.checkpoint_actions import by
from checkpoints.models import Restore
from checkpoints.restore_next import may_be_approved, next_step

State = Restore.State
POLLING_ENDS = 286  # htmx's own status: take this answer, and ask no more
# How each state looks, in the colours that runs and attempts have.
MARKS: dict[str, str] = {
    State.REQUESTED: "running",
    State.PLANNED: "whole",
    State.APPROVED: "whole",
    State.PRE_BACKUP: "running",
    State.ARMED: "running",
    State.PUSHING: "running",
    State.VERIFYING: "running",
    State.CANCELLED: "queued",
    State.CONFIRMED: "done",
    State.REVERTED: "quarantined",
    State.UNKNOWN: "failed",
}


class RestorePages(RecordAdmin):
    """Rows that wait for people, go on by themselves, and are shown while they do."""

    progress_template = ""
    buttons_by_state: Mapping[str, tuple[str, ...]] = {}  # what is not here makes no sense, and is not offered

    def makes_sense(self, request: HttpRequest, row: Any, action: str) -> bool:
        """By its state; and nobody is offered to approve what somebody else has to."""
        wanted = self.buttons_by_state.get(row.state, ())
        return action in wanted and (action != "approve" or may_be_approved(row, by(request)))

    def get_urls(self) -> list[URLPattern]:
        """The page's part that is asked for again while something goes on."""
        return [self.own_page("<uuid:object_id>/progress/", "progress", self.progress_part), *super().get_urls()]

    def progress_part(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Only what moves; when it has come to a rest, the page is loaded again with its buttons."""
        row = self.row_or_404(request, object_id)
        answer = self.show(request, self.progress_template, row, **self.progress(request, row))
        if not self.moving(row):
            answer.status_code = POLLING_ENDS
            answer["HX-Refresh"] = "true"
        return answer

    def progress(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Where it stands. A page adds what it shows of it."""
        return {
            "moving": self.moving(row),
            "next_step": next_step(row, request.user),
            "progress_url": self.page_url("progress", row.pk),
        }

    def moving(self, row: Any) -> bool:
        """Whether the page may look different in a second."""
        raise NotImplementedError
