"""Pages of checkpoints and refs. What checkpoints add to other pages is in `lower_admin.py`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import display

from backups import cells
from backups.models import Run, Snapshot
from backups.pages import DateFilter, RecordAdmin, page_of
from checkpoints import checkpoint_actions as verbs
from checkpoints import checkpoint_page, lower_admin, retention_admin  # noqa: F401  (registers its pages)
from checkpoints import upload_actions as uploading
from checkpoints.checkpoint_filters import KeptFilter, RefFilter, TagFilter
from checkpoints.compare_admin import CHOICES, Compares
from checkpoints.models import HEAD, Checkpoint, Ref, RefMove
from checkpoints.restore_admin import PutsBack
from checkpoints.restore_group_admin import PutsSeveralBack
from inventory.confirmation import confirmed_action
from inventory.models import Device, Tenant
from inventory.roles import may

for model, page in (
    (Device, lower_admin.DeviceAdmin),
    (Snapshot, lower_admin.SnapshotAdmin),
    (Run, lower_admin.RunAdmin),
    (Tenant, lower_admin.TenantAdmin),
):
    admin.site.unregister(model)
    admin.site.register(model, page)


NEED_CONTENT = ("go_back", "export", "put_back", "put_several_back")


@admin.register(Checkpoint)
class CheckpointAdmin(PutsBack, PutsSeveralBack, Compares, RecordAdmin):
    """Moments with a name."""

    page_template = "netcairn/checkpoint.html"
    nothing = "A run that changes something makes a checkpoint, and you make one by hand with “New checkpoint”."
    list_display = ("message_line", "tenant", "made", "author", "shown_tags", "shown_refs", "changed", "size")
    list_display_links = ("message_line",)
    list_filter = (
        KeptFilter,
        "tenant",
        TagFilter,
        RefFilter,
        "protected",
        ("author", FieldTextFilter),
        ("created_at", DateFilter),
    )
    list_select_related = ("tenant",)
    search_fields = ("message",)
    search_help_text = "Words of a message"
    actions = ("compare_two", "delete_them", "undelete_them")
    actions_list = ("new_checkpoint", "upload_files")
    actions_detail = (
        "go_back",
        "export",
        "undelete_it",
        {"title": "More", "items": ["put_back", "put_several_back", "set_tags", "set_name", "protect_it", "delete_it"]},
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Checkpoint]:
        """With the refs that name each."""
        return super().get_queryset(request).prefetch_related("refs")

    @display(description="Message", ordering="message")
    def message_line(self, checkpoint: Checkpoint) -> str:
        """The first line."""
        return str(checkpoint)

    @display(description="Made", ordering="created_at")
    def made(self, checkpoint: Checkpoint) -> SafeString:
        """When."""
        return cells.when(checkpoint.created_at)

    @display(description="Tags")
    def shown_tags(self, checkpoint: Checkpoint) -> SafeString:
        """Each on its own."""
        own = [word for word in ("protected", "uploaded") if getattr(checkpoint, word)]
        return cells.tags([*checkpoint.tags, *own])

    @display(description="Refs")
    def shown_refs(self, checkpoint: Checkpoint) -> SafeString:
        """Names that mean it."""
        return cells.tags([ref.name for ref in checkpoint.refs.all()], "ref")

    @display(description="Changed", ordering="changed_count")
    def changed(self, checkpoint: Checkpoint) -> str:
        """How many changed of how many."""
        return f"{checkpoint.changed_count:,} of {checkpoint.device_count:,}"

    @display(description="Size", ordering="total_bytes")
    def size(self, checkpoint: Checkpoint) -> str:
        """All files as they are, without what git saves."""
        return cells.size(checkpoint.total_bytes)

    def makes_sense(self, request: HttpRequest, row: Checkpoint, action: str) -> bool:  # noqa: ARG002
        """A deleted one can only come back, what a disk has lost goes nowhere, and the record goes back only to what
        devices have said."""
        if row.deleted_at or action == "undelete_it":
            return action == "undelete_it" and bool(row.deleted_at)
        return not (row.lost_at and action in NEED_CONTENT) and not (row.uploaded and action == "go_back")

    def before(self, version: Checkpoint) -> Checkpoint | None:
        """Its parent."""
        return version.parent

    def newest(self, version: Checkpoint) -> Checkpoint:
        """The tenant's newest kept one."""
        kept = Checkpoint.objects.filter(tenant=version.tenant_id).kept()
        return kept.order_by("-created_at", "-seq").first() or version

    def choices(self, request: HttpRequest, left: Checkpoint | None, right: Checkpoint) -> dict[str, Any]:  # noqa: ARG002
        """The tenant's checkpoints."""
        kept = list(Checkpoint.objects.filter(tenant=right.tenant_id).kept()[:CHOICES])
        return {side: with_it(kept, one) for side, one in (("lefts", left or right), ("rights", right))}

    def page_context(self, request: HttpRequest, row: Checkpoint) -> dict[str, Any]:
        """What it holds, and what changed in it."""
        show = "devices" if request.GET.get("show") == "devices" or row.parent is None else "changes"
        lister = checkpoint_page.all_devices if show == "devices" else checkpoint_page.changed_devices
        return {
            "checkpoint": row,
            "refs": row.refs.all(),
            "show": show,
            "listed": checkpoint_page.listed(lister, row, request),
            "compare_url": self.page_url("compare"),
            "may_go_back": may(request.user, "checkpoints.restore_record", row.tenant_id)
            and not (row.deleted_at or row.lost_at or row.uploaded),
        }

    @admin.action(description="Compare two", permissions=["view"])
    def compare_two(self, request: HttpRequest, queryset: QuerySet[Checkpoint]) -> HttpResponse | None:
        """The older one left; changes nothing, so nothing is asked."""
        chosen = list(queryset.order_by("created_at", "seq")[:3])
        if len(chosen) != 2:
            self.message_user(request, "Choose two checkpoints to compare.", messages.WARNING)
            return None
        return HttpResponseRedirect(self.page_url("compare", left=chosen[0].pk, right=chosen[1].pk))

    @confirmed_action(
        description="New checkpoint",
        permission=verbs.ADD,
        plan=verbs.plan_to_create,
        form=verbs.CheckpointForm,
        icon="add",
    )
    def new_checkpoint(self, request: HttpRequest, rows: QuerySet, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """By hand."""
        return verbs.create(request, answers)

    @confirmed_action(
        description="Upload files",
        permission=verbs.ADD,
        plan=uploading.plan_to_upload,
        form=uploading.UploadForm,
        icon="upload_file",
    )
    def upload_files(self, request: HttpRequest, rows: QuerySet, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """A branch of files that somebody brings."""
        return uploading.upload(request, answers)

    @confirmed_action(
        description="Go back to it",
        permission="checkpoints.restore_record",
        plan=verbs.plan_to_go_back,
        icon="settings_backup_restore",
    )
    def go_back(self, request: HttpRequest, rows: QuerySet[Checkpoint], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """In the record, by a new commit."""
        return verbs.go_back(request, rows.get())

    @confirmed_action(
        description="Export",
        permission="checkpoints.export_checkpoint",
        plan=verbs.plan_to_export,
        icon="folder_zip",
    )
    def export(
        self,
        request: HttpRequest,
        rows: QuerySet[Checkpoint],
        answers: dict[str, Any],  # noqa: ARG002
    ) -> StreamingHttpResponse:
        """All its files as a zip archive."""
        return verbs.export(request, rows.get())

    @confirmed_action(description="Tags", permission=verbs.ADD, plan=verbs.plan_to_tag, form=verbs.TagForm, icon="sell")
    def set_tags(self, request: HttpRequest, rows: QuerySet[Checkpoint], answers: dict[str, Any]) -> str:
        """All of them at once."""
        return verbs.tag(rows.get(), answers["tags"], who=verbs.by(request))

    @confirmed_action(
        description="Name it",
        permission="checkpoints.change_ref",
        plan=verbs.plan_to_name,
        form=verbs.RefForm,
        icon="bookmark_add",
    )
    def set_name(self, request: HttpRequest, rows: QuerySet[Checkpoint], answers: dict[str, Any]) -> str:
        """Make or move a ref."""
        return verbs.name(request, rows.get(), answers["name"])

    @confirmed_action(
        description="Protect or release",
        permission="checkpoints.protect_checkpoint",
        plan=verbs.plan_to_protect,
        icon="shield",
    )
    def protect_it(self, request: HttpRequest, rows: QuerySet[Checkpoint], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """From the rules of retention."""
        return verbs.protect(request, rows.get())

    @confirmed_action(
        description="Delete",
        permission="checkpoints.delete_checkpoint",
        plan=verbs.plan_to_delete,
        icon="delete",
        danger=True,
    )
    def delete_it(self, request: HttpRequest, rows: QuerySet[Checkpoint], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Until the garbage is collected it can come back."""
        return verbs.delete(request, list(rows))

    @confirmed_action(
        description="Delete", permission="checkpoints.delete_checkpoint", plan=verbs.plan_to_delete, danger=True
    )
    def delete_them(self, request: HttpRequest, rows: QuerySet[Checkpoint], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """The same for several."""
        return verbs.delete(request, list(rows))

    @confirmed_action(
        description="Undelete",
        permission="checkpoints.delete_checkpoint",
        plan=verbs.plan_to_undelete,
        icon="restore_from_trash",
    )
    def undelete_it(self, request: HttpRequest, rows: QuerySet[Checkpoint], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Back to its place."""
        return verbs.undelete(request, list(rows))

    @confirmed_action(description="Undelete", permission="checkpoints.delete_checkpoint", plan=verbs.plan_to_undelete)
    def undelete_them(self, request: HttpRequest, rows: QuerySet[Checkpoint], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """The same for several."""
        return verbs.undelete(request, list(rows))


def with_it(rows: list[Checkpoint], one: Checkpoint) -> list[Checkpoint]:
    """The rows, and this one where it is not among them."""
    return rows if one in rows else [*rows, one]


@admin.register(Ref)
class RefAdmin(RecordAdmin):
    """Movable names."""

    page_template = "netcairn/ref.html"
    nothing = "A ref is a name for a checkpoint that can move. Open a checkpoint and press “Name it”."
    list_display = ("name", "tenant", "shown_checkpoint", "moved", "moved_by")
    list_display_links = ("name",)
    list_filter = ("tenant",)
    list_select_related = ("tenant", "checkpoint")
    search_fields = ("name",)
    actions = ("delete_refs",)
    actions_detail = ("delete_ref",)

    @display(description="Names")
    def shown_checkpoint(self, ref: Ref) -> SafeString:
        """Which checkpoint."""
        return cells.link(ref.checkpoint)

    @display(description="Moved", ordering="moved_at")
    def moved(self, ref: Ref) -> SafeString:
        """When it was made or moved last."""
        return cells.when(ref.moved_at)

    def makes_sense(self, request: HttpRequest, row: Ref, action: str) -> bool:  # noqa: ARG002
        """HEAD stays."""
        return row.name != HEAD

    def page_context(self, request: HttpRequest, row: Ref) -> dict[str, Any]:
        """With where it has been."""
        moves = RefMove.objects.filter(tenant=row.tenant_id, name=row.name)
        page = page_of(moves, request)
        known = Checkpoint.objects.in_bulk({pk for move in page for pk in (move.before, move.after) if pk})
        return {"ref": row, "moves": page, "ways": [(m, known.get(m.before), known.get(m.after)) for m in page]}

    @confirmed_action(
        description="Delete",
        permission="checkpoints.delete_ref",
        plan=verbs.plan_to_unname,
        icon="bookmark_remove",
        danger=True,
    )
    def delete_ref(self, request: HttpRequest, rows: QuerySet[Ref], answers: dict[str, Any]) -> HttpResponse:  # noqa: ARG002
        """The name goes, so its page does, too."""
        self.message_user(request, verbs.unname(request, list(rows.select_related("tenant"))))
        return HttpResponseRedirect(self.page_url("changelist"))

    @confirmed_action(
        description="Delete refs", permission="checkpoints.delete_ref", plan=verbs.plan_to_unname, danger=True
    )
    def delete_refs(self, request: HttpRequest, rows: QuerySet[Ref], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """The same for several."""
        return verbs.unname(request, list(rows.select_related("tenant")))
