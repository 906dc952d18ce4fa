"""What was asked for, what came of it, and what is kept: the rows that are the truth about work and about the store."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from backups import claimers, indexes
from backups.epochs import Epoch
from backups.evidence_models import QuarantinedFile, Transcript
from backups.hosts.queues import mine_of
from backups.mirrors.models import Mirror
from backups.outbox_models import Outbox
from backups.processing_models import PostProcessing
from backups.recovery.models import Drill
from backups.remote_models import RemoteKey
from backups.schedule_models import Schedule, ScheduledDevice
from backups.snapshot_models import Snapshot, SnapshotSet
from backups.store_models import Repository, StoredFile
from backups.tally_models import DayTally
from backups.verification_models import Verification
from inventory import moments
from inventory.models import Device, Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet

__all__ = [
    "Attempt",
    "AttemptSet",
    "DayTally",
    "Drill",
    "Epoch",
    "Mirror",
    "Outbox",
    "PostProcessing",
    "QuarantinedFile",
    "RemoteKey",
    "Repository",
    "Run",
    "RunSet",
    "Schedule",
    "ScheduledDevice",
    "Snapshot",
    "SnapshotSet",
    "StoredFile",
    "Transcript",
    "Verification",
]


class RunSet(TenantQuerySet):
    """Several runs."""

    def unended(self) -> RunSet:
        """Runs that somebody works on, or should."""
        return self.exclude(state=Run.State.DONE)

    def forsaken(self, *, before: datetime) -> RunSet:
        """Unended runs of which nothing was heard since `before`, though nothing in them waits for its time."""
        return self.unended().filter(heartbeat_at__lt=before, resume_at=None)

    def to_resume(self, now: datetime) -> RunSet:
        """Runs that the queue left alone until now."""
        return self.unended().filter(by_queue=True, resume_at__lte=now)


class Run(TenantOwned):
    """One request to collect a set of a tenant's devices."""

    class State(models.TextChoices):
        """Where a run stands."""

        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"

    class Trigger(models.TextChoices):
        """What asked for a run."""

        HAND = "hand", "By hand"
        SCHEDULE = "schedule", "By schedule"
        EVENT = "event", "By an event"
        RESTORE = "restore", "Before a restore"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED, editable=False)
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.HAND, editable=False)
    requested_by = models.CharField(max_length=150, editable=False)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)  # somebody works on it, or was asked to
    resume_at = models.DateTimeField(null=True, editable=False)  # nobody works on it before; what is left has to wait
    cancelled_at = models.DateTimeField(null=True, editable=False)
    by_queue = models.BooleanField(default=False, editable=False)  # lost work is queued again, else given up
    commit = models.CharField(max_length=40, blank=True, editable=False)  # the newest that it brought

    objects = RunSet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        default_permissions = ("view",)
        permissions = [("back_up", "Can back devices up")]
        constraints = [models.UniqueConstraint(fields=["tenant", "id"], name="run_of_tenant")]
        indexes = indexes.RUNS

    def __str__(self) -> str:
        return f"run of {moments.told(self.requested_at)}"

    def begin(self, now: datetime) -> bool:
        """Note that somebody works on it; False when it has ended already (a task may come twice, or late)."""
        unended = Run.objects.unended().filter(pk=self.pk)
        unended.filter(state=Run.State.QUEUED).update(state=Run.State.RUNNING, started_at=now)
        return bool(unended.update(heartbeat_at=now, resume_at=None))

    def rest(self, now: datetime) -> None:
        """Leave it alone until the first of its queued attempts may be tried; the tick asks for a worker then."""
        first = self.attempts.queued().order_by(models.F("not_before").asc(nulls_first=True)).first()
        if first is not None:
            Run.objects.unended().filter(pk=self.pk).update(resume_at=first.not_before or now)

    def counts(self) -> dict[str, int]:
        """Attempts by state, every state named."""
        found = dict(self.attempts.order_by().values_list("state").annotate(n=models.Count("id")))
        return {state: found.get(state, 0) for state in Attempt.State.values}


REACHED_BY = ("device__credential", "device__jump_host")  # besides its tenant, what is needed to talk to a device


class AttemptSet(TenantQuerySet):
    """Several attempts."""

    def claim(self, *, token: UUID, limit: int, now: datetime) -> list[Attempt]:
        """Take up to `limit` queued ones of the set; nobody else gets them (a task may be delivered twice).

        Never one of a device that somebody talks to already, nor more than the tenant allows at a time; so there may be
        none although some are queued. The try is counted here, before the work: a device that kills its worker is not
        tried for ever.
        """
        with transaction.atomic():
            # One claim of a tenant at a time: what is read below stays true until it is written.
            owner = self.queued().order_by().values("tenant")[:1]
            tenant = Tenant.objects.select_for_update(no_key=True).filter(pk__in=owner).first()
            ids = self.ready(tenant, now).within_limits(tenant, limit) if tenant else []
            Attempt.objects.filter(id__in=ids).update(
                state=Attempt.State.RUNNING,
                token=token,
                claimed_by=claimers.this_process(),
                tries=models.F("tries") + 1,
                not_before=None,
                heartbeat_at=now,
                started_at=now,
            )
        # Many devices share few credentials: looked up once each, instead of made anew from every row.
        claimed = list(Attempt.objects.filter(id__in=ids).select_related("device").prefetch_related(*REACHED_BY))
        for attempt in claimed:
            attempt.device.tenant = tenant
        return claimed

    def queued(self) -> AttemptSet:
        """Those that nobody has begun."""
        return self.filter(state=Attempt.State.QUEUED)

    def ready(self, tenant: Tenant, now: datetime) -> AttemptSet:
        """A tenant's queued ones whose time has come and whose device is for this worker, and nobody talks to it."""
        talking = Attempt.objects.filter(device=models.OuterRef("device"), state=Attempt.State.RUNNING)
        ready = mine_of(tenant.pk, self.filter(tenant=tenant).queued())
        ready = ready.exclude(not_before__gt=now).exclude(models.Exists(talking))
        for name in settings.NETCAIRN_HELD_DEVICES:
            held = import_string(name)
            restoring = models.Q(run__trigger=Run.Trigger.RESTORE)
            ready = ready.exclude(~restoring, device__in=held(for_restores=False))
            ready = ready.exclude(restoring, device__in=held(for_restores=True))
        return ready

    def within_limits(self, tenant: Tenant, limit: int) -> list[int]:
        """The ids of the first ones, up to `limit` and to what the tenant allows: in all, at a site, by a jump host."""
        running = Attempt.objects.filter(tenant=tenant, state=Attempt.State.RUNNING)
        if tenant.max_sessions:
            limit = min(limit, tenant.max_sessions - running.count())
        if limit <= 0:
            return []
        most = {("jump", pk): most for pk, most in tenant.jump_hosts.values_list("pk", "max_sessions") if most}
        if not tenant.max_sessions_a_site and not most:
            return list(self.order_by("id").values_list("id", flat=True)[:limit])
        return self.first_with_room(running, most, tenant.max_sessions_a_site, limit)

    def first_with_room(
        self, running: AttemptSet, most: dict[tuple[str, Any], int], at_a_site: int, limit: int
    ) -> list[int]:
        """The ids of the first ones that fit beside those that run; `most` says how many of a jump host's may."""
        places = ("device__site", "device__jump_host")
        taken: Counter[tuple[str, Any]] = Counter()
        for site, jump_host in running.values_list(*places):
            taken.update([("site", site), ("jump", jump_host)])
        if at_a_site:
            most = most | {place: at_a_site for place in taken if place[0] == "site" and place[1]}
        full = [place for place, number in taken.items() if place in most and number >= most[place]]
        rest = self.exclude(device__site__in=[name for kind, name in full if kind == "site"])
        rest = rest.exclude(device__jump_host__in=[pk for kind, pk in full if kind == "jump"])
        chosen = []
        for pk, site, jump_host in rest.order_by("id").values_list("id", *places)[:limit]:
            mine = [("site", site), ("jump", jump_host)]
            allowed = [at_a_site if site else 0, most.get(("jump", jump_host), 0)]
            if all(
                not most_there or taken[place] < most_there for place, most_there in zip(mine, allowed, strict=True)
            ):
                taken.update(mine)
                chosen.append(pk)
        return chosen

    def held_by(self, token: UUID) -> AttemptSet:
        """Those that the holder of the token is still entitled to finish."""
        return self.filter(token=token, state=Attempt.State.RUNNING)

    def open(self) -> AttemptSet:
        """Those without a final state."""
        return self.filter(state__in=Attempt.OPEN)

    def give_up(self, *, cause: str, detail: str, now: datetime) -> int:
        """Close the open ones of the set as failed; how many there were."""
        return self.open().update(state=Attempt.State.FAILED, cause=cause, detail=detail, token=None, ended_at=now)


class Attempt(models.Model):
    """One device within one run."""

    class State(models.TextChoices):
        """What became of it; the last four are final."""

        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        UNCHANGED = "unchanged", "Unchanged"
        CHANGED = "changed", "Changed"
        QUARANTINED = "quarantined", "Quarantined"
        FAILED = "failed", "Failed"

    OPEN = (State.QUEUED, State.RUNNING)

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="attempts")
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    cause = models.CharField(max_length=40, blank=True)  # a code of backups.errors or capture.Doubt; empty when good
    detail = models.TextField(blank=True)  # one sentence for people
    not_before = models.DateTimeField(null=True)  # when it is tried again
    token = models.UUIDField(null=True)  # whose result counts
    claimed_by = models.CharField(max_length=120, blank=True)  # the process, as `claimers` names it
    tries = models.PositiveSmallIntegerField(default=0)  # counted before the work
    heartbeat_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)  # time with the device, without waiting and storing

    objects = AttemptSet.as_manager()

    class Meta:
        ordering = ["id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["run", "device"], name="attempt_once"),
            # Two sessions with one device would read each other's changes, and use up its few lines.
            models.UniqueConstraint(fields=["device"], name="attempt_one_session", condition=models.Q(state="running")),
        ]
        indexes = indexes.ATTEMPTS

    def __str__(self) -> str:
        return f"{self.device_id}: {self.state}"
