"""What checkpoints and comparing add to the pages of devices, versions, runs and tenants."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from backups.admin import RunAdmin as BackupsRunAdmin
from backups.admin import SnapshotAdmin as BackupsSnapshotAdmin
from backups.device_admin import DeviceAdmin as BackupsDeviceAdmin
from backups.models import Run, Snapshot
from backups.tenant_admin import TenantAdmin as BackupsTenantAdmin
from backups.tenant_admin import head_of
from checkpoints import checkpoint_actions as verbs
from checkpoints import collect_actions as collecting
from checkpoints import services
from checkpoints.compare_admin import CHOICES, Compares
from checkpoints.device_tabs import DeviceTabs, Moment, moment_of
from checkpoints.live_admin import LooksNow
from checkpoints.models import Checkpoint
from checkpoints.restore_admin import FourEyes, PutsBack
from checkpoints.restore_rules import needs_four_eyes
from checkpoints.retention_models import RetentionPolicy
from inventory.confirmation import confirmed_action
from inventory.models import Device, Tenant
from inventory.roles import may

COMPARE = "admin:backups_snapshot_compare"


class SnapshotAdmin(PutsBack, Compares, BackupsSnapshotAdmin):
    """Versions that can be compared, and put back."""

    actions_detail = ("put_back",)

    def makes_sense(self, request: HttpRequest, row: Snapshot, action: str) -> bool:  # noqa: ARG002
        """What is not kept any more cannot be put back; its page says why."""
        return row.pruned_at is None

    def before(self, version: Snapshot) -> Snapshot | None:
        """The device's version before."""
        return Snapshot.objects.filter(device=version.device_id, seq__lt=version.seq).order_by("-seq").first()

    def newest(self, version: Snapshot) -> Snapshot | None:
        """The device's newest version."""
        return Snapshot.objects.filter(device=version.device_id).order_by("-seq").first()

    def redirected(self, request: HttpRequest, right: Snapshot) -> HttpResponse | None:
        """With the name of another device: its newest version is the left side."""
        name = request.GET.get("with", "").strip()
        if not name:
            return None
        other = Snapshot.objects.filter(tenant=right.tenant_id, device__name=name).order_by("-seq").first()
        if other is None:
            self.message_user(request, f"Nothing is kept of a device {name!r} in this tenant.", messages.WARNING)
        return HttpResponseRedirect(self.page_url("compare", left=other.pk if other else None, right=right.pk))

    def choices(self, request: HttpRequest, left: Snapshot | None, right: Snapshot) -> dict[str, Any]:
        """The versions of both devices, also by the checkpoints that hold them."""
        old = left or right
        chosen: dict[str, Any] = {"lefts": choices_of(old), "rights": choices_of(right)}
        if may(request.user, "checkpoints.view_checkpoint", right.tenant_id):
            chosen["right_moments"] = moments_of(right)
            chosen["left_moments"] = chosen["right_moments"] if old.device_id == right.device_id else moments_of(old)
        return chosen

    def page_context(self, request: HttpRequest, row: Snapshot) -> dict[str, Any]:
        """With the way to what it changed."""
        return super().page_context(request, row) | {"changes_url": self.page_url("compare", right=row.pk)}


def choices_of(version: Snapshot) -> list[Snapshot]:
    """The newest versions of the same device, and this one."""
    siblings = Snapshot.objects.filter(device=version.device_id).select_related("device").defer("files")
    found = list(siblings.order_by("-seq")[:CHOICES])
    return found if version in found else [*found, version]


def moments_of(version: Snapshot) -> list[Moment]:
    """The newest checkpoints that hold a version of the same device."""
    kept = Checkpoint.objects.filter(tenant=version.tenant_id).kept()[:CHOICES]
    versions = list(Snapshot.objects.filter(device=version.device_id).defer("files").order_by("seq"))
    return [moment for moment in (moment_of(each, versions) for each in kept) if moment.version]


class DeviceAdmin(DeviceTabs, LooksNow, BackupsDeviceAdmin):
    """Devices whose versions can be compared, and that a checkpoint can be made of."""

    actions = (*BackupsDeviceAdmin.actions, "make_checkpoint")
    actions_detail: tuple[Any, ...] = (
        *BackupsDeviceAdmin.actions_detail[:1],
        {"title": "Compare", "items": ["compare_live", "compare_startup"]},
        *BackupsDeviceAdmin.actions_detail[1:],
    )

    def head(self, request: HttpRequest, device: Any, tab: str) -> dict[str, Any]:
        """With the way to differences."""
        return super().head(request, device, tab) | {"compare_url": reverse(COMPARE)}

    @confirmed_action(
        description="Make a checkpoint of them",
        permission="checkpoints.add_checkpoint",
        plan=verbs.plan_of_devices,
        form=verbs.MessageForm,
    )
    def make_checkpoint(self, request: HttpRequest, rows: QuerySet[Device], answers: dict[str, Any]) -> str:
        """One checkpoint of just these."""
        return verbs.create_of(request, list(rows.select_related("tenant")), answers)


def figures_of(tenant: Tenant) -> dict[str, Any]:
    """What checkpoints add above a tenant's form."""
    return {
        "summary": services.summary_of(tenant),
        "retention": RetentionPolicy.objects.filter(tenant=tenant).first(),
        "four_eyes": needs_four_eyes(tenant),
    }


class RunAdmin(BackupsRunAdmin):
    """Runs, with the checkpoint that each made."""

    def page_context(self, request: HttpRequest, row: Run) -> dict[str, Any]:
        """With its checkpoint."""
        return super().page_context(request, row) | {
            "checkpoints": row.checkpoints.kept(),
            "compare_url": reverse(COMPARE),
        }


class TenantAdmin(FourEyes, BackupsTenantAdmin):
    """Tenants, with their record in figures and the collection of its garbage."""

    actions_detail = (
        *BackupsTenantAdmin.actions_detail,
        {"title": "More", "items": ["four_eyes", "restore_windows", "collect_garbage", "stop_collection"]},
    )
    change_form_outer_before_template = "netcairn/tenant_head.html"

    def makes_sense(self, request: HttpRequest, row: Tenant, action: str) -> bool:
        """What does not go on cannot be stopped."""
        if action == "stop_collection":
            return RetentionPolicy.objects.filter(tenant=row).exclude(step="").exists()
        return bool(super().makes_sense(request, row, action))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form, below the figures."""
        tenant = self.get_object(request, object_id) if object_id else None
        head = figures_of(tenant) if tenant else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **head})

    def get_urls(self) -> list[URLPattern]:
        """With the part of the page that is asked for again while garbage is collected."""
        view = self.admin_site.admin_view(require_safe(self.collection_part))
        own = path("<uuid:object_id>/collection/", view, name="inventory_tenant_collection")
        return [own, *super().get_urls()]

    def collection_part(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """How far it is; once it has ended, all the figures, because they are others now. The form is left alone."""
        tenant = self.get_object(request, str(object_id))
        if tenant is None:
            raise Http404("There is no such tenant.")
        if not self.has_view_permission(request, tenant):
            raise PermissionDenied
        policy = RetentionPolicy.objects.filter(tenant=tenant).first()
        if policy and policy.step:
            return render(request, "netcairn/collection.html", {"tenant": tenant, "retention": policy})
        told = {**head_of(tenant), **figures_of(tenant)}
        answer = render(request, "netcairn/tenant_head.html", told)
        answer["HX-Retarget"] = "#tenant-head"
        return answer

    @confirmed_action(
        description="Collect garbage",
        permission="checkpoints.collect_garbage",
        plan=collecting.plan_to_collect,
        icon="delete_sweep",
        danger=True,
    )
    def collect_garbage(self, request: HttpRequest, rows: QuerySet[Tenant], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """What the plan has shown."""
        return collecting.collect(list(rows))

    @confirmed_action(
        description="Stop the collection",
        permission="checkpoints.collect_garbage",
        plan=collecting.plan_to_stop,
        icon="stop_circle",
    )
    def stop_collection(self, request: HttpRequest, rows: QuerySet[Tenant], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """At its next step."""
        return collecting.stop(rows)
