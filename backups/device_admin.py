"""What backups add to a device's pages: how it stands, its versions, its attempts, and backing it up."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.views import ChangeList

from backups import cells, looks, retirement
from backups.code_page import shown_context
from backups.content import SECRETS
from backups.errors import StoreError
from backups.first_page import Begins
from backups.models import Attempt, Run, Snapshot
from backups.pages import ChosenOnce, Paged, page_of
from backups.platform_page import Platforms
from backups.standing import GOOD, STANDINGS, TROUBLE, in_standing, with_last_times
from backups.templatetags.netcairn import words
from inventory import device_actions, secrets_policy
from inventory.admin import DeviceAdmin as InventoryDeviceAdmin
from inventory.confirmation import Plan, confirmed_action
from inventory.models import Device, DeviceSet
from inventory.roles import may

RECENT = 6  # versions and attempts beside the configuration
TABS = (("overview", "Overview"), ("versions", "Versions"), ("attempts", "Attempts"), ("change", "Settings"))
DETECTED = 20  # devices that are looked at while somebody waits for the page
DETECTION_TIME = 20.0  # seconds for each of them
NAMED = 12  # devices that a plan names one by one


class StandingFilter(DropdownFilter):
    """How devices stand; the figures of the dashboard lead here."""

    title = "state"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Every standing has a name."""
        return list(STANDINGS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:  # noqa: ARG002
        """The rule is the same that counts."""
        standing = self.value()
        if standing not in STANDINGS:
            return queryset
        return in_standing(cast(DeviceSet, queryset), standing, now=timezone.now())


class DeviceList(ChangeList):
    """The list of devices, whose names lead to the page that shows how the device is, not to the form."""

    def url_for_result(self, result: Device) -> str:
        """The overview, which has the form behind a tab."""
        return self.model_admin.page_url("overview", result.pk)

    def get_results(self, request: HttpRequest) -> None:
        """The rows that were chosen for the page, also where one page holds all of them."""
        super().get_results(request)
        if isinstance(self.paginator, ChosenOnce) and not self.show_all:
            self.result_list = self.paginator.get_page(self.page_num).object_list


def plan_to_back_up(_page: Any, _request: HttpRequest, devices: QuerySet[Device]) -> Plan:
    """Which devices will be asked, by tenant; those that are switched off are left out, and that is said."""
    asked = list(devices.collectable().select_related("tenant").order_by("tenant__name", "name"))  # type: ignore[attr-defined]
    left_out = devices.count() - len(asked)
    if not asked:
        return Plan("Back up now?", refusal="None of these devices is collected: they are not enabled, or retired.")
    by_tenant = Counter(device.tenant.name for device in asked)
    effects = [f"{tenant}: a run of {number} {plural(number)}" for tenant, number in by_tenant.items()]
    effects += [device.name for device in asked[:NAMED]] if len(asked) > 1 else []
    effects += [f"and {len(asked) - NAMED} more"] if len(asked) > NAMED else []
    effects += [f"{left_out} {plural(left_out)} left out: not enabled, or retired"] if left_out else []
    question = f"Back up {asked[0].name} now?" if len(asked) == 1 else f"Back up {len(asked)} devices now?"
    return Plan(question, effects, button="Back up now")


def plan_to_detect(_page: Any, _request: HttpRequest, devices: QuerySet[Device]) -> Plan:
    """Which devices are logged in to, and what is done there."""
    names = [f"{device.name} ({device.platform} now)" for device in devices.order_by("name")[: DETECTED + 1]]
    if len(names) > DETECTED:
        return Plan("Detect the platform?", refusal=f"At most {DETECTED} devices are looked at while a page waits.")
    effects = [
        *names,
        "Each is logged in to and asked for its version; nothing is changed there",
        "Those that are recognised for sure get that platform, the others keep theirs",
    ]
    return Plan("Detect the platform?", effects, button="Look now")


def plural(number: int) -> str:
    """One device, two devices."""
    return "device" if number == 1 else "devices"


class DeviceAdmin(Begins, Platforms, Paged, InventoryDeviceAdmin):
    """A device with what was kept of it."""

    list_display = (*InventoryDeviceAdmin.list_display, "shown_standing", "last_version", "last_attempt")
    list_filter = (StandingFilter, *InventoryDeviceAdmin.list_filter)
    actions = (*InventoryDeviceAdmin.actions, "back_up_now", "detect_platform")
    actions_detail = (
        "back_up_now",
        {"title": "More", "items": ["detect_platform", *InventoryDeviceAdmin.actions_detail]},
    )
    change_form_outer_before_template = "netcairn/device_head.html"
    list_before_template = "netcairn/device_list_head.html"
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        """With the last attempt and version of each, as the list shows and sorts them."""
        return with_last_times(cast(DeviceSet, super().get_queryset(request)))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        """See DeviceList."""
        return DeviceList

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Paginator:
        """To find how devices stand, the last attempt of each is looked up: once is enough."""
        by_standing = request.GET.get(StandingFilter.parameter_name) in STANDINGS
        return (ChosenOnce if by_standing else Paginator)(*args, **kwargs)

    @display(description="State", ordering="last_state")
    def shown_standing(self, device: Any) -> SafeString:
        """What the last attempt came to."""
        return standing_mark(device, device.last_state, device.last_cause)

    @display(description="Last version", ordering="last_version_at")
    def last_version(self, device: Any) -> SafeString:
        """When something was kept that differed."""
        return cells.when(device.last_version_at)

    @display(description="Last attempt", ordering="last_attempt_at")
    def last_attempt(self, device: Any) -> SafeString:
        """When it was asked last."""
        return cells.when(device.last_attempt_at)

    @confirmed_action(
        description="Back up now", permission="backups.back_up", plan=plan_to_back_up, icon="cloud_download"
    )
    def back_up_now(self, request: HttpRequest, rows: QuerySet[Device], answers: dict[str, Any]) -> str | HttpResponse:  # noqa: ARG002
        """Ask for the runs, and lead to the run where there is one."""
        from backups.jobs import enqueue_run  # brings netmiko: seconds that no page should pay at start

        devices = list(rows.collectable())  # type: ignore[attr-defined]
        runs = enqueue_run(devices, requested_by=request.user.get_username(), trigger=Run.Trigger.HAND)
        self.message_user(
            request,
            f"{len(devices)} {plural(len(devices))} will be asked as soon as a worker is free.",
            messages.SUCCESS,
        )
        if len(runs) == 1:
            return HttpResponseRedirect(reverse("admin:backups_run_change", args=[runs[0].pk]))
        return HttpResponseRedirect(reverse("admin:backups_run_changelist"))

    @confirmed_action(description="Retire", permission="inventory.change_device", plan=device_actions.plan_to_retire)
    def retire(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Out of service and out of the current tree, with all their history."""
        done = retirement.retire(rows, by=request.user.get_username(), now=timezone.now())
        return device_actions.told("retired", done)

    @confirmed_action(
        description="Bring back", permission="inventory.change_device", plan=device_actions.plan_to_bring_back
    )
    def bring_back(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Undo retiring."""
        done = retirement.bring_back(rows, by=request.user.get_username(), now=timezone.now())
        return device_actions.told("brought back", done)

    def save_model(self, request: HttpRequest, obj: Device, form: Any, change: bool) -> None:
        """A rename is followed by the link in `by-name/`, once it is committed."""
        super().save_model(request, obj, form, change)
        if change and "name" in form.changed_data:
            transaction.on_commit(partial(self.relink, request, obj))

    def relink(self, request: HttpRequest, device: Device) -> None:
        """Names are for people: where the store is busy, the link follows with the device's next version."""
        try:
            retirement.relink(device, by=request.user.get_username(), now=timezone.now())
        except StoreError as error:
            self.message_user(request, f"by-name/ follows with the next version: {error}", messages.WARNING)

    back_up_now.variant = ActionVariant.PRIMARY  # type: ignore[attr-defined]

    @confirmed_action(
        description="Detect platform", permission="inventory.change_device", plan=plan_to_detect, icon="travel_explore"
    )
    def detect_platform(self, request: HttpRequest, rows: QuerySet[Device], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Look at them now, and give those their platform that are recognised."""
        from backups.recognition import recognise_all  # brings netmiko, as above

        devices = list(rows.select_related("credential").order_by("name"))
        found = recognise_all(devices, deadline=DETECTION_TIME)
        for device, one in zip(devices, found, strict=True):
            self.message_user(request, one.told, messages.INFO if one.slug else messages.WARNING)
            rows.filter(pk=device.pk, platform=device.platform).update(platform=one.slug or device.platform)
        return f"{sum(bool(one.slug) for one in found)} of {len(devices)} {plural(len(devices))} recognised."

    def makes_sense(self, request: HttpRequest, row: Device, action: str) -> bool:
        """What is not collected is not backed up; its page says so."""
        if action == "back_up_now":
            return row.enabled and not row.retired_at
        return bool(super().makes_sense(request, row, action))

    def get_urls(self) -> list[URLPattern]:
        """The tabs beside the form."""
        return [
            self.own_page("platforms/", "platforms", self.platforms),
            self.own_page("<uuid:object_id>/overview/", "overview", self.overview),
            self.own_page("<uuid:object_id>/versions/", "versions", self.versions),
            self.own_page("<uuid:object_id>/attempts/", "attempts", self.attempts),
            *super().get_urls(),
        ]

    def overview(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """The configuration as it is kept now, beside what happened last."""
        device = self.row_or_404(request, object_id)
        context = self.head(request, device, "overview")
        version = context["latest"]
        context |= shown_context(version if context["sees_versions"] else None, request)
        if version and context["sees_versions"] and context["sees_secrets"]:
            looks.seen(version, by=request.user.get_username())
        context["recent_versions"] = versions_of(device)[:RECENT]
        context["recent_attempts"] = attempts_of(device)[:RECENT]
        return self.show(request, "netcairn/device_overview.html", device, **context)

    def versions(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Its history."""
        device = self.row_or_404(request, object_id)
        context = self.head(request, device, "versions") | {"versions": page_of(versions_of(device), request)}
        return self.show(request, "netcairn/device_versions.html", device, **context)

    def attempts(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """When it was asked, and what came of it."""
        device = self.row_or_404(request, object_id)
        context = self.head(request, device, "attempts") | {"attempts": page_of(attempts_of(device), request)}
        return self.show(request, "netcairn/device_attempts.html", device, **context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form, below the same head as the other tabs."""
        device = self.get_object(request, object_id) if object_id else None
        head = self.head(request, device, "change") if device else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **head})

    def head(self, request: HttpRequest, device: Any, tab: str) -> dict[str, Any]:
        """What stands above every tab. A higher app adds to it."""
        tenant = device.tenant_id
        last = attempts_of(device).exclude(state__in=Attempt.OPEN).first()
        return {
            "device": device,
            "platform": self.shown_platform(device),
            "host_key": device.host_key_fingerprint(),
            "tab": tab,
            "standing": standing_mark(device, last.state if last else None, last.cause if last else ""),
            "last": last,
            "trouble": TROUBLE,
            "latest": versions_of(device).first(),
            "kept": versions_of(device).count(),
            "no_restore": secrets_policy.told(device.tenant),
            "sees_versions": may(request.user, "backups.view_snapshot", tenant),
            "sees_secrets": may(request.user, SECRETS, tenant),
            "reads_transcripts": may(request.user, "backups.read_transcript", tenant),
            "tabs": [(name, title, self.page_url(name, device.pk)) for name, title in TABS],
        }


def standing_mark(device: Device, state: str | None, cause: str | None) -> SafeString:
    """What the last ended attempt came to, as a mark: that it is in sync, or why not."""
    if not device.enabled or device.retired_at:
        return cells.state("resting", "not collected")
    if state is None:
        return cells.state("untried", "not tried yet")
    return cells.state("in_sync", "in sync") if state in GOOD else cells.state(state, words(cause or state))


def versions_of(device: Device) -> QuerySet[Snapshot]:
    """Newest first."""
    return Snapshot.objects.filter(device=device).select_related("run").order_by("-seq")


def attempts_of(device: Device) -> QuerySet[Attempt]:
    """Newest first, with the texts in quarantine."""
    return (
        Attempt.objects.filter(device=device)
        .select_related("run", "transcript")
        .defer("transcript__text")
        .prefetch_related("files")
        .order_by("-id")
    )
