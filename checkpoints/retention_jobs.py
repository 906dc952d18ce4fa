"""The queue's doors to retention and to the collection of garbage, and what the minute's tick finds."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from backups import jobs
from backups.errors import StoreError
from checkpoints.errors import CollectionStopped
from checkpoints.gc import Collected, collect_garbage
from checkpoints.keeping import apply_retention
from checkpoints.retention_models import NOBODY, RetentionPolicy
from inventory.models import Tenant

APPLY, COLLECT = (f"checkpoints.retention_jobs.{name}" for name in ("apply", "collect"))


def tick() -> None:
    """Every minute: policies that were not applied for a day are; each is taken once, however many ticks there are."""
    now = timezone.now()
    for row in RetentionPolicy.objects.due(now):
        if RetentionPolicy.objects.due(now).filter(pk=row.pk).update(applied_at=now):
            jobs.enqueue(APPLY, str(row.tenant_id), name=f"retention {row.tenant_id}")


def apply(tenant_id: str) -> None:
    """Mark what no rule keeps, then collect what was marked long enough ago."""
    tenant = Tenant.objects.get(pk=UUID(tenant_id))
    apply_retention(tenant, by=NOBODY, now=timezone.now())
    collect_watched(tenant, now=timezone.now())


def enqueue_collection(tenant: Tenant) -> None:
    """Let a worker collect a tenant's garbage."""
    note(tenant, step="waiting for a worker", step_at=timezone.now(), stop_asked=False)
    jobs.enqueue(COLLECT, str(tenant.pk), name=f"collect garbage {tenant.pk}")


def collect(tenant_id: str) -> None:
    """Collect a tenant's garbage."""
    collect_watched(Tenant.objects.get(pk=UUID(tenant_id)), now=timezone.now())


def collect_watched(tenant: Tenant, *, now: datetime) -> None:
    """Collect; the policy's row says how far it is, what came of it, and takes the wish to stop."""

    def told(step: str) -> None:
        note(tenant, step=step, step_at=timezone.now())
        if RetentionPolicy.objects.filter(tenant=tenant, stop_asked=True).exists():
            raise CollectionStopped("Stopped by hand; what was done is done, and the next collection goes on.")

    outcome = ""
    try:
        outcome = sentence(collect_garbage(tenant, now=now, told=told))
    except (CollectionStopped, StoreError) as error:
        outcome = str(error)
    finally:
        note(tenant, step="", step_at=timezone.now(), stop_asked=False, outcome=outcome or "It broke off.")


def note(tenant: Tenant, **fields: object) -> None:
    """Write it into the tenant's row, which a tenant without a policy gets: everything is kept, nothing automatic."""
    rows = RetentionPolicy.objects.filter(tenant=tenant)
    if not rows.update(**fields):
        RetentionPolicy.objects.get_or_create(tenant=tenant, defaults={"automatic": False, **fields})


def sentence(done: Collected) -> str:
    """What a collection came to."""
    if done.refused:
        return " ".join(["Nothing was deleted.", *done.refused])
    if not (done.objects_removed or done.checkpoints_removed or done.epochs_removed):
        return "There was no garbage; all that is kept was read."
    return (
        f"{done.objects_removed} objects removed, {filesizeformat(done.bytes_freed)} freed, "
        f"{done.checkpoints_removed} checkpoints and {done.epochs_removed} epochs gone, "
        f"{done.versions_pruned} versions pruned."
    )
