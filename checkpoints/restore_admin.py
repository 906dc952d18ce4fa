"""Pages of restores to devices: the plan, the agreement, and how it goes while it goes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from backups import cells
from backups.content import SECRETS, for_eyes, is_binary
from backups.errors import StoreError
from backups.pages import DateFilter, attachment
from backups.processing import originals
from backups.store.reader import read_blob
from checkpoints import compare_page, restore_jobs
from checkpoints import restore_actions as verbs
from checkpoints.checkpoint_actions import by
from checkpoints.compare import FileChange, FileDiff
from checkpoints.display import Numbers
from checkpoints.manifest import Content
from checkpoints.models import Restore
from checkpoints.restore_documents import is_forsaken, restore_diff
from checkpoints.restore_next import APPROVE, PUSH
from checkpoints.restore_pages import MARKS, RestorePages
from inventory.audit import record
from inventory.confirmation import confirmed_action
from inventory.roles import may

State = Restore.State
# Which buttons make sense in which state; what is not here is shown nowhere.
BUTTONS: dict[str, tuple[str, ...]] = {
    State.REQUESTED: ("plan_again", "cancel"),
    State.PLANNED: ("approve", "plan_again", "cancel"),
    State.APPROVED: ("push", "cancel"),
    State.UNKNOWN: ("look", "settle"),
}


@admin.register(Restore)
class RestoreAdmin(RestorePages):
    """Versions on their way back onto devices."""

    page_template = "netcairn/restore.html"
    progress_template = "netcairn/restore_progress.html"
    buttons_by_state = BUTTONS
    nothing = "Nothing was put back onto a device yet. Open a version of a device, and press “Put back”."
    list_display = ("asked", "shown_device", "tenant", "shown_state", "requested_by", "approved_by", "came_of_it")
    list_display_links = ("asked",)
    list_filter = ("tenant", "state", ("requested_at", DateFilter))
    list_select_related = ("tenant", "device")
    search_fields = ("device__name", "requested_by")
    search_help_text = "Name of a device, or who asked for it"
    ordering = ("-requested_at",)
    actions_detail = ("approve", "push", "plan_again", "look", "settle", "cancel")

    @display(description="Asked", ordering="requested_at")
    def asked(self, restore: Restore) -> SafeString:
        """When."""
        return cells.when(restore.requested_at)

    @display(description="Device", ordering="device__name")
    def shown_device(self, restore: Restore) -> SafeString:
        """Of what."""
        return cells.link(restore.device)

    @display(description="State", ordering="state")
    def shown_state(self, restore: Restore) -> SafeString:
        """Where it stands."""
        return cells.state(MARKS[restore.state], restore.get_state_display())

    @display(description="What came of it")
    def came_of_it(self, restore: Restore) -> str:
        """In words."""
        return restore.came_of_it

    def makes_sense(self, request: HttpRequest, row: Restore, action: str) -> bool:
        """Nothing, once somebody has answered for the device."""
        return not row.settled_at and super().makes_sense(request, row, action)

    def get_urls(self) -> list[URLPattern]:
        """With the files for a person."""
        return [self.own_page("<uuid:object_id>/file/<str:name>", "file", self.download), *super().get_urls()]

    def download(self, request: HttpRequest, object_id: UUID, name: str) -> HttpResponse:
        """A file of the version, for whoever puts it back by hand: whole with the right to see secrets, else masked."""
        restore = self.row_or_404(request, object_id)
        if name not in restore.target:
            raise Http404("The version has no such file.")
        secrets = may(request.user, SECRETS, restore.tenant_id)
        content = read_blob(restore.tenant_id, restore.target[name]["blob"])
        if is_binary(content) and not secrets:
            raise PermissionDenied  # what is not text cannot be masked
        seen = for_eyes(content, restore.device.platform, secrets=secrets)
        told = {"restore": str(restore.pk), "file": name, "masked": not secrets}
        record(restore.tenant, by=by(request), action="version.downloaded", about=restore.device.name, detail=told)
        return attachment(seen, f"{restore.device.name}-{restore.short_id}{'' if secrets else '-masked'}-{name}")

    def moving(self, row: Restore) -> bool:
        """Whether a worker is at it, or was asked to be."""
        return row.state in Restore.WORKING or (row.state == State.APPROVED and bool(row.pushed_by))

    def progress(self, request: HttpRequest, row: Restore) -> dict[str, Any]:
        """With every step."""
        return super().progress(request, row) | {
            "restore": row,
            "mark": MARKS[row.state],
            "process_gone": is_forsaken(row),
            "events": row.events.all(),
        }

    def page_context(self, request: HttpRequest, row: Restore) -> dict[str, Any]:
        """With the plan and its difference, masked by right."""
        masked = not may(request.user, SECRETS, row.tenant_id)
        files = [(name, self.page_url("file", row.pk, name)) for name in row.target] if row.plan.get("by_hand") else []
        told = {"plan": row.plan, "masked": masked, "files": files}
        return {**self.progress(request, row), **told, **self.difference(row, masked=masked)}

    def difference(self, restore: Restore, *, masked: bool) -> dict[str, Any]:
        """What the device would run against what it runs; or why that cannot be shown."""
        try:
            return {"diff": shown_difference(restore, masked=masked)}
        except StoreError as error:
            return {"diff": None, "diff_refusal": str(error)}

    @confirmed_action(
        description="Approve",
        permission=APPROVE,
        plan=verbs.plan_to_approve,
        form=verbs.AgreedForm,
        icon="task_alt",
    )
    def approve(self, request: HttpRequest, rows: QuerySet[Restore], answers: dict[str, Any]) -> str:
        """The plan on the page, and no other."""
        return verbs.approve(request, rows.get(), answers)

    @confirmed_action(
        description="Change the device", permission=PUSH, plan=verbs.plan_to_push, icon="publish", danger=True
    )
    def push(self, request: HttpRequest, rows: QuerySet[Restore], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """By a worker, once."""
        return verbs.push(request, rows.get())

    @confirmed_action(description="Plan again", permission=verbs.PLAN, plan=verbs.plan_to_plan_again, icon="refresh")
    def plan_again(self, request: HttpRequest, rows: QuerySet[Restore], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """From a new look at the device."""
        return verbs.plan_again(rows.get())

    @confirmed_action(description="Call off", permission=verbs.PLAN, plan=verbs.plan_to_cancel, icon="cancel")
    def cancel(self, request: HttpRequest, rows: QuerySet[Restore], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """As long as nothing was sent."""
        return verbs.cancel(request, rows.get())

    @confirmed_action(
        description="I have looked",
        permission=verbs.SETTLE,
        plan=verbs.plan_to_settle,
        form=verbs.NoteForm,
        icon="visibility",
    )
    def settle(self, request: HttpRequest, rows: QuerySet[Restore], answers: dict[str, Any]) -> str:
        """The device is free again."""
        return verbs.settle(request, rows.get(), answers["note"])

    @confirmed_action(description="Read it again", permission=verbs.SETTLE, plan=verbs.plan_to_look, icon="search")
    def look(self, request: HttpRequest, rows: QuerySet[Restore], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Perhaps its timer brought it back."""
        return verbs.look(request, rows.get(), restore_jobs.live_means())


def shown_difference(restore: Restore, *, masked: bool) -> compare_page.ShownDiff | None:
    """The difference as rows of a page. Raises StoreDamaged, GitTooSlow."""
    found = restore_diff(restore, masked=masked, caps=compare_page.CAPS)
    if found is None:
        return None
    diff, old, new = found
    name = restore.plan["running"]
    before = originals(restore.before.files)[name] if restore.before else restore.target[name]
    change = FileChange(restore.device, name, content_of(before), content_of(restore.target[name]), restore.device)
    numbers = Numbers(old.numbers, new.numbers)
    options = compare_page.Options(view="unified", masked=masked)
    shown = FileDiff(change, diff, numbers, old.line_count, masked=masked, hide_volatile=True)
    return compare_page.shown_diff(shown, options, compare_page.MAX_HTML)


def content_of(entry: dict[str, Any]) -> Content:
    """A file's entry in a row."""
    return Content(entry["blob"], entry["size"])


class PutsBack:
    """What a page of versions or checkpoints gets: the way back onto a device. Mixed in before RecordAdmin."""

    @confirmed_action(
        description="Put back",
        permission=verbs.PLAN,
        plan=verbs.plan_to_put_back,
        form=verbs.PutBackForm,
        icon="settings_backup_restore",
    )
    def put_back(self, request: HttpRequest, rows: QuerySet, answers: dict[str, Any]) -> HttpResponse:
        """To the page where the plan appears."""
        restore = verbs.put_back(request, rows.get(), answers)
        return HttpResponseRedirect(reverse("admin:checkpoints_restore_change", args=[restore.pk]))


class FourEyes:
    """What the page of tenants gets: whether one person alone may restore, and when."""

    @confirmed_action(
        description="Four eyes for restores",
        permission=verbs.FOUR_EYES,
        plan=verbs.plan_to_change_eyes,
        icon="supervisor_account",
    )
    def four_eyes(self, request: HttpRequest, rows: QuerySet, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Wanted or not."""
        return verbs.change_eyes(rows.get(), who=by(request))

    @confirmed_action(
        description="Maintenance windows",
        permission=verbs.FOUR_EYES,
        plan=verbs.plan_to_set_windows,
        form=verbs.WindowsForm,
        icon="schedule",
    )
    def restore_windows(self, request: HttpRequest, rows: QuerySet, answers: dict[str, Any]) -> str:
        """When devices may be changed."""
        return verbs.set_windows(request, rows.get(), answers)
