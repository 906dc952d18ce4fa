"""One look at a tenant's store: the row, the refs, the packs, every version, and with `full` every byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from backups.errors import NoStore, StoreError
from backups.fsck.ended import epoch_refs
from backups.fsck.findings import Finding, announce, found
from backups.fsck.losses import losses
from backups.locks import lock_tenant
from backups.models import Repository, Verification
from backups.store import rereading
from backups.store.lookup import Lookup
from backups.store.packs import Flaw, drop_cache, flaws, index_again
from backups.store.reader import TenantStore, open_store, store_path
from backups.store.troubles import Trouble, troubles
from inventory import audit
from inventory.models import Tenant

NOTED = 50  # repairs that an audit entry tells in full
MEANING = {
    "pack": ("damaged-pack", "what is only in there is lost until it comes back from a copy."),
    "index": ("damaged-index", "nothing in its pack can be read until it is made again from the pack."),
    "cache": ("damaged-cache", "git computes it again from the objects; until then it may refuse to work."),
}


def check(
    tenant: Tenant, *, full: bool = False, repair: bool = False, wait: float = 10.0, by: str = audit.SYSTEM
) -> list[Finding]:
    """What is wrong with a tenant's store; with `repair`, what can be mended is. An alarm is raised over losses.

    Every version's row is compared with git; `full` also reads every object, and that takes as long as it is large.
    What a reading before has found damaged is read again. A store that is busy is a finding, not an error: the other
    tenants are looked at all the same.
    """
    findings: list[Finding] = []
    try:
        with transaction.atomic(durable=True):
            lock_tenant(tenant.pk, wait=wait)
            findings.extend(found(trouble, tenant, repair=repair) for trouble in disagreements(tenant))
        # Without the lock: what is kept does not change, and a writer must not wait for it.
        findings.extend(found(trouble, tenant, repair=repair) for trouble in readings(tenant, full=full))
    except StoreError as exc:
        # What was found until here stays on the list.
        findings.append(Finding(exc.cause, tenant.name, str(exc)))
    note_repairs(tenant, findings, by)
    announce(tenant, findings)
    return findings


def note_repairs(tenant: Tenant, findings: Iterable[Finding], by: str) -> None:
    """What was mended, and for whom."""
    mended = [one for one in findings if one.repaired]
    if mended:
        told = [f"{one.code}: {one.what}" for one in mended[:NOTED]]
        audit.record(
            tenant, by=by, action="store.repaired", about=tenant.name, detail={"found": told, "all": len(mended)}
        )


def disagreements(tenant: Tenant) -> Iterator[Trouble]:
    """What is wrong with the files and between row and refs; to be mended while iterating, one may hide the next."""
    row = Repository.objects.filter(tenant=tenant).first()
    try:
        store = open_store(tenant.pk)
    except NoStore as exc:
        if row is not None and row.head is not None:
            yield Trouble("missing-repository", f"{exc} Yet the database names {row.head}: bring a copy of it back.")
        return
    yield from flawed_files(store)
    with closing(Lookup(store.git)) as lookup:
        yield from troubles(store, row.head if row else None, lookup)
    yield from epoch_refs(tenant, store)
    for name in settings.NETCAIRN_FSCK_CHECKS:
        higher: Callable[[Tenant, TenantStore], Iterator[Trouble]] = import_string(name)
        yield from higher(tenant, store)
    if row is None and not Repository.objects.filter(tenant=tenant).exists() and not store.refs():
        what = f"{store.path} has no row in the database: a crash came between the two, and nothing was kept yet."
        yield Trouble("missing-row", what, lambda: make_row(tenant))


def make_row(tenant: Tenant) -> None:
    """The row of a repository that is empty."""
    Repository.objects.get_or_create(tenant=tenant)


def flawed_files(store: TenantStore) -> Iterator[Trouble]:
    """Packs, indexes and caches that do not fit their checksums, as far as that is seen without reading the packs."""
    for flaw in list(flaws(store.path)):
        yield trouble_of(store, flaw)


def trouble_of(store: TenantStore, flaw: Flaw) -> Trouble:
    """What a flaw means, and its mend where what is missing can be computed."""
    code, meaning = MEANING[flaw.kind]
    return Trouble(code, f"{flaw.path} {flaw.what}: {meaning}", mend_of(store, flaw))  # type: ignore[arg-type]


def mend_of(store: TenantStore, flaw: Flaw) -> Callable[[], None] | None:
    """How a flaw is mended; a pack holds what nothing else does, so there is no mend for it."""

    def mend_index() -> None:
        index_again(store.git, flaw.path.with_suffix(".pack"), flaw.path)
        store.close()

    def mend_cache() -> None:
        drop_cache(flaw.path)
        store.close()

    return {"index": mend_index, "cache": mend_cache}.get(flaw.kind)


def readings(tenant: Tenant, *, full: bool) -> Iterator[Trouble]:
    """What the rows name and git has not, or not so; with `full`, everything that cannot be read."""
    try:
        store = open_store(tenant.pk)
    except NoStore:
        yield from losses(tenant, None, frozenset())
        return
    if full:
        # The look under the lock has told the others. Here a writer may be giving a new pack its index just now.
        quick = {flaw.path for flaw in flaws(store.path)}
        read = (flaw for flaw in flaws(store.path, full=True) if flaw.kind == "pack" and flaw.path not in quick)
        yield from (trouble_of(store, flaw) for flaw in read)
    damaged = damaged_objects(tenant, store, full=full)
    yield from losses(tenant, store, damaged | (rereading.missing(store.git) if full else frozenset()))


def damaged_objects(tenant: Tenant, store: TenantStore, *, full: bool) -> frozenset[str]:
    """Objects that cannot be read: of all, or of those that were known; and what is known is put right."""
    row = Verification.objects.filter(tenant=tenant).first()
    known = row.damaged if row else []
    if full:
        damaged = rereading.damaged(store.git, rereading.object_ids(store.git))
    else:
        damaged = rereading.confirmed(store.git, known)
    if sorted(damaged) != sorted(known):
        Verification.objects.update_or_create(tenant=tenant, defaults={"damaged": sorted(damaged)})
    return damaged


def unknown_repositories(known: Iterable[UUID]) -> list[Finding]:
    """Repositories in the store root that belong to no tenant."""
    root, names = store_path(UUID(int=0)).parent, {f"{tenant_id}.git" for tenant_id in known}
    return [
        Finding(
            "unknown-repository",
            path.stem,
            f"{path} belongs to no tenant of the database: `fsck --rebuild` takes it in, if the database was lost.",
        )
        for path in sorted(root.glob("*-*.git"))
        if path.name not in names
    ]


def all_findings(tenants: Iterable[Tenant], *, full: bool, repair: bool, by: str = audit.SYSTEM) -> list[Finding]:
    """What is wrong with the stores of these tenants."""
    return [finding for tenant in tenants for finding in check(tenant, full=full, repair=repair, by=by)]
