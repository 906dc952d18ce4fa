"""Pages of runs, versions and quarantine. What backups add to the pages of devices is in `device_admin.py`."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.views import ChangeList

from backups import (  # noqa: F401  (they register pages)
    audit_admin,
    cells,
    evidence_admin,
    looks,
    mirror_admin,
    notice_admin,
    processing_admin,
    schedule_admin,
)
from backups.blame_page import Blames
from backups.code_page import shown_context
from backups.content import (
    SECRETS,
    for_eyes,
    is_binary,
    stored,
)
from backups.device_admin import DeviceAdmin
from backups.hosts import admin as hosts_admin  # noqa: F401  (it registers pages)
from backups.models import Attempt, Run, Snapshot
from backups.pages import RecordAdmin, attachment, page_of
from backups.progress import Progress, progress_of
from backups.runs import cancel
from backups.search_page import Searches
from inventory.confirmation import Plan, confirmed_action
from inventory.models import Device
from inventory.roles import may

SLOWEST = "slowest"  # beside the states, on the page of a run

POLLING_ENDS = 286  # htmx's own status: take this answer, and ask no more

admin.site.unregister(Device)
admin.site.register(Device, DeviceAdmin)


def plan_to_cancel(page: Any, request: HttpRequest, rows: QuerySet[Run]) -> Plan:  # noqa: ARG001
    """What cancelling means; the numbers move on every second, so they are not part of what is agreed to."""
    if not rows.unended().exists():  # type: ignore[attr-defined]
        return Plan("Cancel?", refusal="The run has ended already.")
    effects = ["No further device is asked.", "Devices that are being asked are finished, and what came is kept."]
    return Plan("Cancel this run?", effects, button="Cancel the run")


class RunList(ChangeList):
    """The list of runs, with the progress of each."""

    def get_results(self, request: HttpRequest) -> None:
        """One query more for the whole page, and none per row."""
        super().get_results(request)
        progress = progress_of(self.result_list)
        for run in self.result_list:
            run.progress = progress[run.pk]


@admin.register(Run)
class RunAdmin(RecordAdmin):
    """What was asked for, what became of it, and what goes on right now."""

    page_template = "netcairn/run.html"
    nothing = "Nothing has been backed up yet. Choose devices in their list, and press “Back up now”."
    list_display = ("asked", "tenant", "shown_state", "asked_devices", "outcome", "requested_by", "trigger", "took")
    list_display_links = ("asked",)
    list_filter = ("tenant", "state", "trigger", ("requested_at", RangeDateTimeFilter))
    list_select_related = ("tenant",)
    search_fields = ("requested_by",)
    search_help_text = "Who asked for it"
    ordering = ("-requested_at",)
    actions_detail = ("cancel",)

    @confirmed_action(
        description="Cancel", permission="backups.back_up", plan=plan_to_cancel, icon="cancel", danger=True
    )
    def cancel(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Collect no more of its devices."""
        stopped = sum(cancel(run, by=request.user.get_username(), now=timezone.now()) for run in rows)
        return f"Cancelled; {stopped} device{'s were' if stopped != 1 else ' was'} left out."

    def makes_sense(self, request: HttpRequest, row: Run, action: str) -> bool:  # noqa: ARG002
        """Nothing of a run that has ended can be cancelled, and nothing twice."""
        return row.state != Run.State.DONE and row.cancelled_at is None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        """See RunList."""
        return RunList

    @display(description="Asked", ordering="requested_at")
    def asked(self, run: Run) -> SafeString:
        """When."""
        return cells.when(run.requested_at)

    @display(description="State", ordering="state")
    def shown_state(self, run: Run) -> SafeString:
        """Where it stands."""
        return cells.state(run.state, run.get_state_display())

    @display(description="Devices")
    def asked_devices(self, run: Any) -> str:
        """How many of how many."""
        progress: Progress = run.progress
        done = run.state == Run.State.DONE
        return f"{progress.total}" if done else f"{progress.ended} of {progress.total}"

    @display(description="Outcome")
    def outcome(self, run: Any) -> SafeString:
        """Its attempts by state, as a bar."""
        return cells.bar(run.progress)

    @display(description="Took")
    def took(self, run: Run) -> str:
        """From the first device to the last."""
        return cells.took(run)

    def get_urls(self) -> list[URLPattern]:
        """The part of the page that is asked for again while the run goes on."""
        return [self.own_page("<uuid:object_id>/progress/", "progress", self.progress_part), *super().get_urls()]

    def progress_part(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Only what moves."""
        run = self.row_or_404(request, object_id)
        ended = run.state == Run.State.DONE
        context = self.page_context(request, run)
        return self.show(request, "netcairn/run_progress.html", run, status=POLLING_ENDS if ended else 200, **context)

    def page_context(self, request: HttpRequest, row: Run) -> dict[str, Any]:
        """Progress, pace and the attempts of the chosen state."""
        now = timezone.now()
        progress = progress_of([row])[row.pk]
        state = request.GET.get("state", "")
        attempts = page_of(chosen(row, state), request)
        kept = Snapshot.objects.filter(run=row, device__in=[attempt.device_id for attempt in attempts])
        return {
            "run": row,
            "now": now,
            "progress": progress,
            "rate": progress.per_minute(row, now),
            "left": progress.left(row, now),
            "state": state,
            "slowest": SLOWEST,
            "attempts": attempts,
            "reads_transcripts": may(request.user, evidence_admin.READ, row.tenant_id),
            "kept": {version.device_id: version for version in kept.defer("files")},
            "page_url": self.page_url("change", row.pk),
            "progress_url": self.page_url("progress", row.pk, state=state, page=request.GET.get("page")),
        }


def chosen(run: Run, state: str) -> QuerySet[Attempt]:
    """The attempts of a state, or with `slowest` those that were talked to the longest; else all of the run."""
    if state == SLOWEST:
        return most_telling_first(run.attempts.exclude(seconds=None)).order_by("-seconds", "id")
    return most_telling_first(run.attempts.filter(state=state) if state in Attempt.State.values else run.attempts.all())


def most_telling_first(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Running ones, the longest first, then trouble, changes and the rest; with what is in quarantine of them."""
    order = ("running", "failed", "quarantined", "changed", "unchanged", "queued")
    rank = Case(*(When(state=state, then=Value(at)) for at, state in enumerate(order)), output_field=IntegerField())
    return (
        attempts.select_related("device", "transcript")
        .defer("transcript__text")
        .prefetch_related("files")
        .order_by(rank, "-ended_at", "started_at", "id")
    )


@admin.register(Snapshot)
class SnapshotAdmin(Searches, Blames, RecordAdmin):
    """Every version that was kept."""

    page_template = "netcairn/version.html"
    nothing = "No version is kept yet. The first backup of a device makes its first version."
    list_display = ("taken", "shown_device", "tenant", "lines", "shown_size", "author", "shown_run")
    list_display_links = ("taken",)
    list_filter = ("tenant", ("taken_at", RangeDateTimeFilter))
    list_select_related = ("tenant", "device", "run")
    search_fields = ("device__name", "commit__startswith")
    search_help_text = "Name of a device, or the beginning of a commit"
    ordering = ("-taken_at",)

    @display(description="Taken", ordering="taken_at")
    def taken(self, version: Snapshot) -> SafeString:
        """When."""
        return cells.when(version.taken_at)

    @display(description="Device", ordering="device__name")
    def shown_device(self, version: Snapshot) -> SafeString:
        """Of what."""
        return cells.link(version.device)

    @display(description="Lines")
    def lines(self, version: Snapshot) -> SafeString:
        """What came and went since the version before."""
        return cells.delta(version.lines_added, version.lines_removed)

    @display(description="Size", ordering="size")
    def shown_size(self, version: Snapshot) -> str:
        """All files together."""
        return cells.size(version.size)

    @display(description="Run")
    def shown_run(self, version: Snapshot) -> SafeString | str:
        """What brought it."""
        return cells.link(version.run, "run") if version.run else "-"

    def get_urls(self) -> list[URLPattern]:
        """The download of one file."""
        return [self.own_page("<uuid:object_id>/file/<str:name>", "file", self.download), *super().get_urls()]

    def page_context(self, request: HttpRequest, row: Snapshot) -> dict[str, Any]:
        """Its files, and the way to its neighbours."""
        siblings = Snapshot.objects.filter(device=row.device_id).defer("files")
        if secrets := may(request.user, SECRETS, row.tenant_id):
            looks.seen(row, by=request.user.get_username())
        return {
            "version": row,
            **shown_context(row, request),
            "older": siblings.filter(seq__lt=row.seq).order_by("-seq").first(),
            "newer": siblings.filter(seq__gt=row.seq).order_by("seq").first(),
            "sees_secrets": secrets,
        }

    def download(self, request: HttpRequest, object_id: UUID, name: str) -> HttpResponse:
        """One file: as the device said it with the right to see secrets, else masked, and named so.

        Always as an attachment and never as HTML: what a device said must not run in the browser.
        """
        version = self.row_or_404(request, object_id)
        secrets = may(request.user, SECRETS, version.tenant_id)
        if name not in version.files:
            raise Http404("This version has no such file.")
        content = stored(version, name)
        if is_binary(content) and not secrets:
            raise PermissionDenied  # what is not text cannot be masked
        seen = for_eyes(content, version.device.platform, secrets=secrets)
        looks.downloaded(version, name, by=request.user.get_username(), masked=not secrets)
        moment = f"{version.taken_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        return attachment(seen, f"{version.device.name}-{moment}{'' if secrets else '-masked'}-{name}")
