"""Pages of what attempts leave behind: doubtful texts, to be accepted or dropped, and transcripts of failures."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from backups import cells, looks, verdict
from backups.content import SECRETS, lines_of, same_beginning, shown_file, shown_stored, stored, unfolded
from backups.models import Attempt, QuarantinedFile, Transcript
from backups.pages import RecordAdmin
from backups.templatetags.netcairn import words
from inventory.confirmation import Plan, confirmed_action
from inventory.roles import may, tenant_id_of, tenants_with

JUDGE = "backups.judge_quarantinedfile"
READ = "backups.read_transcript"


def plan_to_accept(_page: Any, _request: HttpRequest, rows: QuerySet[QuarantinedFile]) -> Plan:
    """What was doubtful, and who has read the same."""
    attempt = rows.get().attempt
    question = f"Make this the newest version of {attempt.device}?"
    refusal = verdict.why_not(attempt)
    if refusal:
        return Plan(question, refusal=refusal)
    second = verdict.second_reading(attempt)
    good = attempt.device.snapshots.order_by("-seq").first()
    before = {name: entry["size"] for name, entry in good.files.items()} if good else {}
    lines = [f"Why it is in quarantine: {attempt.detail}"]
    lines += [f"{file.name}: {len(file.content)} bytes, {sized(before, file.name)}" for file in attempt.files.all()]
    lines += [f"A second reading of {second.ended_at:%Y-%m-%d %H:%M} UTC agrees."] if second and second.ended_at else []
    return Plan(question, lines, warning="A restore may put exactly this onto the device.", button="Accept it")


def sized(before: dict[str, int], name: str) -> str:
    """The last good version's size beside it."""
    return f"the last good version has {before[name]}" if name in before else "no good version has it"


def plan_to_drop(_page: Any, _request: HttpRequest, rows: QuerySet[QuarantinedFile]) -> Plan:
    """What is thrown away."""
    attempt = rows.get().attempt
    question = f"Drop what {attempt.device} said?"
    if attempt.state != Attempt.State.QUARANTINED:
        return Plan(question, refusal="It has been judged already.")
    lines = [f"{file.name}: {len(file.content)} bytes" for file in attempt.files.all()]
    return Plan(
        question, lines, warning="The text is gone for good. The device has still to be backed up.", button="Drop it"
    )


def ended_after(attempt: Attempt) -> Attempt | None:
    """The device's newest attempt that has ended, where it is a later one."""
    later = Attempt.objects.filter(device=attempt.device_id, id__gt=attempt.pk).exclude(state__in=Attempt.OPEN)
    return later.order_by("-id").first()


class WaitingFilter(DropdownFilter):
    """Texts that no later attempt has settled."""

    title = "waiting"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Both ways."""
        return [("yes", "Waits for a look"), ("no", "Settled by a later attempt")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # noqa: ARG002
        """See QuarantineAdmin.get_queryset for `newest`."""
        if self.value() == "yes":
            return queryset.filter(attempt=F("newest"))
        return queryset.exclude(attempt=F("newest")) if self.value() == "no" else queryset


@admin.register(QuarantinedFile)
class QuarantineAdmin(RecordAdmin):
    """What devices said that was not provably complete, for a person to look at."""

    page_template = "netcairn/quarantined.html"
    nothing = (
        "Nothing is in quarantine. A capture that is not provably complete lands here, and never becomes a version."
    )
    list_display = ("device", "tenant", "cause", "file_name", "said", "standing")
    list_display_links = ("device",)
    list_filter = ("tenant", WaitingFilter)
    list_select_related = ("tenant", "attempt__device", "attempt__run")
    search_fields = ("attempt__device__name",)
    ordering = ("-attempt_id", "name")
    actions_detail = ("accept", "drop")

    @confirmed_action(description="Accept as a version", permission=JUDGE, plan=plan_to_accept, icon="check")
    def accept(self, request: HttpRequest, rows: QuerySet[QuarantinedFile], answers: dict[str, Any]) -> HttpResponse:  # noqa: ARG002
        """It is whole after all."""
        attempt = rows.get().attempt
        verdict.accept(attempt, by=request.user.get_username(), now=timezone.now())
        self.message_user(request, f"What {attempt.device} said is its newest version now.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:inventory_device_overview", args=[attempt.device_id]))

    @confirmed_action(description="Drop", permission=JUDGE, plan=plan_to_drop, icon="delete", danger=True)
    def drop(self, request: HttpRequest, rows: QuerySet[QuarantinedFile], answers: dict[str, Any]) -> HttpResponse:  # noqa: ARG002
        """It is rubbish."""
        attempt = rows.get().attempt
        verdict.drop(attempt, by=request.user.get_username())
        self.message_user(request, f"What {attempt.device} said was dropped.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:inventory_device_overview", args=[attempt.device_id]))

    def makes_sense(self, request: HttpRequest, row: QuarantinedFile, action: str) -> bool:  # noqa: ARG002
        """Until it is judged."""
        return row.attempt.state == Attempt.State.QUARANTINED

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuarantinedFile]:
        """With `newest`, the device's last ended attempt; and without the text, which a list does not need."""
        newest = Attempt.objects.filter(device=OuterRef("attempt__device")).exclude(state__in=Attempt.OPEN)
        rows = super().get_queryset(request).annotate(newest=Subquery(newest.order_by("-id").values("pk")[:1]))
        return rows.defer("content")

    @display(description="Device", ordering="attempt__device__name")
    def device(self, file: QuarantinedFile) -> str:
        """Whose."""
        return file.attempt.device.name

    @display(description="Why")
    def cause(self, file: QuarantinedFile) -> SafeString:
        """What made it doubtful."""
        return cells.state(Attempt.State.QUARANTINED, words(file.attempt.cause))

    @display(description="Said", ordering="attempt_id")
    def said(self, file: QuarantinedFile) -> SafeString:
        """When."""
        return cells.when(file.attempt.ended_at)

    @display(description="File", ordering="name")
    def file_name(self, file: QuarantinedFile) -> str:
        """Which of the device's files."""
        return file.name

    @display(description="Now")
    def standing(self, file: Any) -> SafeString:
        """Whether it is the last word of its device, or a later attempt has settled it."""
        waits = file.newest == file.attempt_id
        return cells.state(Attempt.State.QUARANTINED, "waits for a look") if waits else cells.state("idle", "settled")

    def page_context(self, request: HttpRequest, row: QuarantinedFile) -> dict[str, Any]:
        """Its text beside that of the last good version."""
        attempt = row.attempt
        secrets = may(request.user, SECRETS, row.tenant_id)
        if secrets:
            looks.doubt_seen(row, by=request.user.get_username())
        good = attempt.device.snapshots.order_by("-seq").first()
        last = shown_stored(good, row.name, secrets=secrets) if good and row.name in good.files else None
        slug, content = attempt.device.platform, bytes(row.content)
        same, ends = 0, False
        if good and last and not last.refusal:
            same, ends = same_beginning(content, stored(good, row.name), slug)
        return {
            "file": row,
            "attempt": attempt,
            "said": shown_file(row.name, content, slug, secrets=secrets, mark="S"),
            "same": same,
            "ends": ends,
            "good": good,
            "settled": ended_after(attempt),
            "second": verdict.second_reading(attempt),
            "judges": may(request.user, JUDGE, row.tenant_id),
            "last": last,
            "sees_secrets": secrets,
        }


@admin.register(Transcript)
class TranscriptAdmin(RecordAdmin):
    """What was said before a device failed, for those who may read it."""

    page_template = "netcairn/transcript.html"
    nothing = "Nothing has failed lately."
    list_display = ("device", "tenant", "cause", "made")
    list_display_links = ("device",)
    list_filter = ("tenant",)
    list_select_related = ("tenant", "attempt__device")
    search_fields = ("attempt__device__name",)
    ordering = ("-made_at",)

    def has_view_permission(self, request: HttpRequest, obj: Model | str | None = None) -> bool:
        """By its own right, which nobody has who may only look."""
        row = self.get_object(request, obj) if isinstance(obj, str) else obj
        return may(request.user, READ, tenant_id_of(row) if row is not None else None)

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """The same for the menu."""
        return {**super().get_model_perms(request), "view": self.has_view_permission(request)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transcript]:
        """Of tenants in which the user holds the right."""
        return super().get_queryset(request).filter(tenant__in=tenants_with(request.user, READ))

    @display(description="Device", ordering="attempt__device__name")
    def device(self, transcript: Transcript) -> str:
        """With whom."""
        return transcript.attempt.device.name

    @display(description="Why")
    def cause(self, transcript: Transcript) -> SafeString:
        """What it failed of."""
        return cells.state(transcript.attempt.state, words(transcript.attempt.cause))

    @display(description="Said", ordering="made_at")
    def made(self, transcript: Transcript) -> SafeString:
        """When."""
        return cells.when(transcript.made_at)

    def page_context(self, request: HttpRequest, row: Transcript) -> dict[str, Any]:  # noqa: ARG002
        """Line by line, harmless."""
        lines = unfolded(lines_of(row.text.encode()), "T")
        return {"attempt": row.attempt, "transcript": row, "said": {"lines": lines}}
