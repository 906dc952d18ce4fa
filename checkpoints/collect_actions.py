"""The action that collects garbage: what it would do, in the words of the page that asks, and the queue's task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from checkpoints.gc import GRACE, Collected, collect_garbage
from checkpoints.retention_jobs import enqueue_collection
from checkpoints.retention_models import RetentionPolicy
from inventory.confirmation import Plan
from inventory.models import Tenant


def plan_to_collect(_page: Any, _request: HttpRequest, rows: QuerySet[Tenant]) -> Plan:
    """The dry run of each tenant."""
    foreseen = [collect_garbage(tenant, now=timezone.now(), dry_run=True) for tenant in rows.order_by("name")]
    question = f"Collect the garbage of {', '.join(one.tenant.name for one in foreseen)}?"
    if refused := [reason for one in foreseen for reason in one.refused]:
        return Plan(question, refusal=" ".join(["Nothing will be deleted.", *refused]))
    if not any(
        one.objects_removed or one.checkpoints_removed or one.refs_removed or one.epochs_removed for one in foreseen
    ):
        days = GRACE.days
        told = f"There is no garbage: nothing was deleted more than {days} {'day' if days == 1 else 'days'} ago."
        return Plan(question, refusal=told)
    warning = "Checkpoints that go now cannot be undeleted any more."
    return Plan(question, [foreseen_line(one) for one in foreseen], warning=warning, button="Collect")


def foreseen_line(one: Collected) -> str:
    """What would go, and what stays."""
    return (
        f"{one.tenant}: {one.checkpoints_removed} checkpoints go, and {one.objects_removed} objects that they alone "
        f"needed ({filesizeformat(one.bytes_freed)}); {one.epochs_removed} epochs go, and with them the content of "
        f"{one.versions_pruned} versions; {one.kept} objects stay"
    )


def collect(tenants: Sequence[Tenant]) -> str:
    """By the queue, because it reads everything that is kept."""
    for tenant in tenants:
        enqueue_collection(tenant)
    return "Asked for. The tenant's page says how far it is, and what came of it."


def plan_to_stop(_page: Any, _request: HttpRequest, rows: QuerySet[Tenant]) -> Plan:
    """Only one that goes on can be stopped."""
    if not RetentionPolicy.objects.filter(tenant__in=rows).exclude(step="").exists():
        return Plan("Stop the collection?", refusal="None goes on.")
    warning = "What it has done is done; the next one goes on from there."
    return Plan("Stop the collection of garbage?", warning=warning, button="Stop it")


def stop(tenants: QuerySet[Tenant]) -> str:
    """At its next step."""
    RetentionPolicy.objects.filter(tenant__in=tenants).exclude(step="").update(stop_asked=True)
    return "It stops at its next step."
