"""How much a tenant keeps, and may keep: unique bytes as they are stored.

A content counts with its own length, once, however many devices, versions and checkpoints hold it: git stores it once.
Neither git's compression nor its deltas count, for they come and go with housekeeping, and a number that falls by night
and rises by day cannot be promised to anybody. What counts is written down in a row for each content (`StoredFile`), in
the transaction that keeps it: so the sum is exact after a crash too, and no batch looks at more than itself.

See docs/decisions/0014-a-quota-counts-unique-bytes.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Sum
from django.template.defaultfilters import filesizeformat

from backups.errors import QuotaFull, StoreError
from backups.locks import lock_tenant
from backups.models import Repository, StoredFile
from backups.store import layout
from backups.store.contents import id_of_file
from backups.store.reader import TenantStore, is_repository, open_store, store_path
from backups.store.rereading import absent
from inventory import audit
from inventory.errors import Invalid
from inventory.models import Tenant
from inventory.notices import Level, Notice, settle, tell

if TYPE_CHECKING:
    from backups.commit import Kept

NEARLY = 0.8  # of the quota, from which on somebody should know
NEARLY_FULL, FULL = "quota.nearly-full", "quota.full"  # codes of the alarms
CHUNK = 5_000  # rows written in one go
A_TURN = 1_000  # rows that go under the tenant's lock at a time, so that a commit never waits for long
MOST = 2**63 - 1
SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,3})?) ?([KMGT]?)i?B?", re.IGNORECASE)

Sizes = Mapping[str, int]  # id of a content -> its bytes


@dataclass(frozen=True)
class Usage:
    """What a tenant keeps and may keep, in unique bytes."""

    used: int
    limit: int  # 0: no limit

    @property
    def room(self) -> int:
        """Bytes that may still come."""
        return max(0, self.limit - self.used) if self.limit else MOST

    @property
    def percent(self) -> float | None:
        """How full it is; None where there is no limit."""
        return 100 * self.used / self.limit if self.limit else None

    @property
    def nearly_full(self) -> bool:
        """Whether somebody should do something about it."""
        return bool(self.limit) and self.used >= NEARLY * self.limit

    @property
    def full(self) -> bool:
        """Whether nothing new fits any more."""
        return bool(self.limit) and self.used >= self.limit

    def __str__(self) -> str:
        used = filesizeformat(self.used).replace("\xa0", " ")
        return f"{used} of {filesizeformat(self.limit)}".replace("\xa0", " ") if self.limit else f"{used}, no limit"


def new_row(tenant_id: UUID) -> Repository:
    """A tenant's row that counts from nothing, whatever an earlier one that was removed by hand has left."""
    StoredFile.objects.filter(tenant_id=tenant_id).delete()
    return Repository.objects.create(tenant_id=tenant_id)


def usage_of(tenant_id: UUID) -> Usage:
    """What the tenant keeps now; one query, because every batch asks."""
    found = Tenant.objects.filter(pk=tenant_id).values_list("repository__stored_bytes", "quota_bytes").get()
    return Usage(found[0] or 0, found[1])


def usages(tenants: Iterable[Tenant]) -> dict[UUID, Usage]:
    """The same for several, in one query."""
    limits = {tenant.pk: tenant.quota_bytes for tenant in tenants}
    used = dict(Repository.objects.filter(pk__in=limits).values_list("tenant_id", "stored_bytes"))
    return {pk: Usage(used.get(pk, 0), limit) for pk, limit in limits.items()}


def parse_size(text: str) -> int:
    """Bytes of a quota: `500M`, `20G` (of 1024), a plain number; 0 for `none`. Raises Invalid."""
    found = SIZE.fullmatch(text.strip())
    if text.strip().lower() == "none":
        return 0
    size = int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " ")) if found else 0
    if not 0 < size < MOST:
        raise Invalid(f"{text!r} is not a size: write 500M, 20G, a number of bytes, or none.")
    return size


def new_among(tenant_id: UUID, files: Sizes) -> dict[str, int]:
    """The contents that the tenant does not keep yet."""
    known = StoredFile.objects.filter(tenant_id=tenant_id, blob__in=list(files)).values_list("blob", flat=True)
    return {blob: files[blob] for blob in files.keys() - set(known)}


def charge(tenant_id: UUID, files: Sizes, *, beyond: bool) -> None:
    """Count what is about to be kept, in the transaction that keeps it, under the tenant's lock.

    What is kept already costs nothing, so going back to old content always fits. `beyond`: over the quota too.
    Raises QuotaFull, and the transaction has to be given up then.
    """
    before, after = note(tenant_id, files)
    if after.used - before.used > before.room and not beyond:
        raise refusal(tenant_id, before)
    # Once when a mark is passed: somebody may have settled the alarm knowingly.
    if (after.nearly_full, after.full) != (before.nearly_full, before.full):
        watch(Tenant.objects.get(pk=tenant_id), after)


def note(tenant_id: UUID, files: Sizes) -> tuple[Usage, Usage]:
    """Write down the contents that are new, and the sum; what the tenant kept before, and keeps now."""
    with connection.cursor() as cursor:
        # One statement: every batch needs it, and four took a seventh of its time.
        cursor.execute(
            """
            WITH new AS (
                INSERT INTO backups_storedfile (tenant_id, blob, size)
                SELECT %s, * FROM unnest(%s::text[], %s::bigint[])
                ON CONFLICT DO NOTHING
                RETURNING size
            ), cost AS (SELECT coalesce(sum(size), 0)::bigint AS bytes FROM new)
            UPDATE backups_repository SET stored_bytes = stored_bytes + cost.bytes
            FROM cost, inventory_tenant AS tenant
            WHERE tenant_id = %s AND tenant.id = tenant_id
            RETURNING stored_bytes - cost.bytes, stored_bytes, tenant.quota_bytes
            """,
            [tenant_id, list(files), list(files.values()), tenant_id],
        )
        before, after, limit = cursor.fetchone()
    return Usage(before, limit), Usage(after, limit)


def refusal(tenant_id: UUID, usage: Usage) -> QuotaFull:
    """Why something was not kept, and what can be done."""
    name = Tenant.objects.values_list("name", flat=True).get(pk=tenant_id)
    return QuotaFull(
        f"The quota of {name} is used up ({usage}); all that was kept before stays. Raise it with "
        f"`tenant set {name} --quota SIZE`, or keep less."
    )


def divide(tenant_id: UUID, captures: Sequence[Kept]) -> tuple[list[Kept], list[Kept]]:
    """The captures that still fit, in their order, and those that do not. Under the tenant's lock."""
    usage = usage_of(tenant_id)
    if not usage.limit:
        return list(captures), []
    sizes = [{id_of_file(content): len(content) for content in one.files.values()} for one in captures]
    new = new_among(tenant_id, {blob: size for files in sizes for blob, size in files.items()})
    fit, left, room = [], [], usage.room
    for one, files in zip(captures, sizes, strict=True):
        mine = files.keys() & new.keys()
        cost = sum(new[blob] for blob in mine)
        if cost > room:
            left.append(one)
            continue
        fit.append(one)
        room -= cost
        for blob in mine:
            del new[blob]
    return fit, left


def watch(tenant: Tenant, usage: Usage, *, refused: bool = False) -> None:
    """Let the two alarms say what is: raised, or settled once there is room again."""
    name = tenant.name
    full = usage.full or refused
    mend = f"Raise it with `tenant set {name} --quota SIZE`, or keep less."
    if full:
        text = f"{name} keeps {usage}. What changes is reported, and not kept; all that was kept stays. {mend}"
        tell(tenant, code=FULL, about=name, text=text, level=Level.ALARM)
    else:
        settle(tenant, code=FULL, about=name)
    if usage.nearly_full and not full:
        text = f"{name} keeps {usage}. When it is full, what changes is no longer kept. {mend}"
        tell(tenant, code=NEARLY_FULL, about=name, text=text, level=Level.ALARM)
    else:
        settle(tenant, code=NEARLY_FULL, about=name)


def refused(tenant_id: UUID) -> QuotaFull:
    """Something of a batch did not fit: the alarm, once while it is open, and the error for each of its devices."""
    usage, tenant = usage_of(tenant_id), Tenant.objects.get(pk=tenant_id)
    if not Notice.objects.open_alarms().filter(tenant=tenant, code=FULL).exists():
        watch(tenant, usage, refused=True)
    return refusal(tenant_id, usage)


def set_quota(tenant: Tenant, limit: int, *, by: str) -> Usage:
    """Give the tenant another quota in bytes (0: none), even below what it keeps: nothing is ever removed by that."""
    with transaction.atomic():
        Repository.objects.select_for_update().filter(pk=tenant.pk).first()  # no batch passes a mark meanwhile
        before = usage_of(tenant.pk)
        Tenant.objects.filter(pk=tenant.pk).update(quota_bytes=limit)
        usage = Usage(before.used, limit)
        watch(tenant, usage)
        detail = {"before": before.limit, "after": limit, "used": before.used}
        audit.record(tenant, by=by, action="quota.set", about=tenant.name, detail=detail)
    tenant.quota_bytes = limit
    return usage


def recount(tenant_id: UUID) -> Usage:
    """Count anew what the tenant keeps, from git alone, and put the rows right; for whoever has removed something.

    To be called in a transaction that holds the tenant's lock (`locks.lock_tenant`), after the refs of what went are
    gone. The price is a walk over everything that is kept. Raises StoreDamaged, GitFailed.
    """
    found = stored_files(tenant_id)
    rows = StoredFile.objects.filter(tenant_id=tenant_id)
    known = dict(rows.values_list("blob", "size").iterator())
    gone = [blob for blob, size in known.items() if found.get(blob) != size]
    for start in range(0, len(gone), CHUNK):
        rows.filter(blob__in=gone[start : start + CHUNK]).delete()
    missing = (StoredFile(tenant_id=tenant_id, blob=b, size=s) for b, s in found.items() if known.get(b) != s)
    StoredFile.objects.bulk_create(missing, batch_size=CHUNK)
    Repository.objects.filter(pk=tenant_id).update(stored_bytes=sum(found.values()))
    usage = usage_of(tenant_id)
    watch(Tenant.objects.get(pk=tenant_id), usage)
    return usage


def recount_beside(tenant_id: UUID) -> None:
    """`recount` beside writers, for whoever has just removed objects: the walk is done without the lock.

    Under it, in short turns, only rows go whose content is not there any more at all. Where anything else is not right,
    or somebody has brought such a content back meanwhile, all is counted under the lock. Raises as `recount_alone`.
    """
    rows = StoredFile.objects.filter(tenant_id=tenant_id)
    known = dict(rows.values_list("blob", "size").iterator())
    found = stored_files(tenant_id)
    gone = sorted(known.keys() - found.keys())
    now = dict(rows.values_list("blob", "size").iterator())  # what came during the walk may be in what it found
    right = all(now.get(blob) == size for blob, size in found.items())
    if not right or not all(forget(tenant_id, gone[at : at + A_TURN]) for at in range(0, len(gone), A_TURN)):
        recount_alone(tenant_id)
        return
    watch(Tenant.objects.get(pk=tenant_id), usage_of(tenant_id))


def forget(tenant_id: UUID, blobs: Sequence[str]) -> bool:
    """Take these off the count, in a turn of the lock; False where one is there after all, and then nothing is done."""
    with transaction.atomic(durable=True):
        lock_tenant(tenant_id, wait=30.0)
        if absent(open_store(tenant_id).git, blobs) != set(blobs):
            return False
        rows = StoredFile.objects.filter(tenant_id=tenant_id, blob__in=blobs)
        size = rows.aggregate(size=Sum("size"))["size"] or 0
        rows.delete()
        Repository.objects.filter(pk=tenant_id).update(stored_bytes=F("stored_bytes") - size)
    return True


def recount_alone(tenant_id: UUID) -> tuple[Usage, Usage]:
    """`recount` in a transaction of its own: what was thought, and what is. Raises StoreBusy too."""
    with transaction.atomic(durable=True):
        lock_tenant(tenant_id, wait=30.0)
        return usage_of(tenant_id), recount(tenant_id)


def stored_files(tenant_id: UUID) -> dict[str, int]:
    """Every device's file that the record, its epochs or a checkpoint names, with its bytes; from git alone."""
    row = Repository.objects.filter(pk=tenant_id).first()
    if row is None or (row.head is None and not is_repository(store_path(tenant_id))):
        return {}
    store = open_store(tenant_id)
    refs = store.refs(layout.MAIN, layout.EPOCHS, layout.CHECKPOINTS)
    tips = {*([row.head] if row.head else []), *(commit for ref, commit in refs.items() if ref != layout.MAIN)}
    return sizes_of(store, files_below(store, tips)) if tips else {}


def files_below(store: TenantStore, tips: set[str]) -> list[str]:
    """The ids of all devices' files that these commits, or those before them, name."""
    asked = "".join(f"{layout.checked_id(tip)}\n" for tip in sorted(tips)).encode()
    options = ("--objects", "--filter=object:type=blob", "--filter-provided-objects", "--stdin")
    lines = store.git.run("rev-list", *options, stdin=asked, seconds=3600.0).out.splitlines()
    named = (line.partition(b" ") for line in lines)
    return [blob.decode() for blob, _, path in named if path.startswith(f"{layout.DEVICES}/".encode())]


def sizes_of(store: TenantStore, blobs: Sequence[str]) -> dict[str, int]:
    """The bytes of each. Raises StoreError where one is not there."""
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    out = store.git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked, seconds=3600.0).out
    found = {}
    for line in out.decode().splitlines():
        blob, _, size = line.partition(" ")
        if not size.isdigit():
            raise StoreError(f"Object {blob} in {store.path} is missing, so nothing was counted: run `fsck`.")
        found[blob] = int(size)
    return found
