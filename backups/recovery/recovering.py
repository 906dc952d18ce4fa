"""Bringing tenants back from the object store: their repositories, and what the database does not know of them.

What is here and can be used is never touched; what cannot is moved aside, not deleted. Each step may be interrupted
and begun again: a repository is brought beside its place, and gets its name once it is whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction

from backups.errors import StoreError
from backups.fsck.rebuilding import WAIT, Rebuilt, rebuild
from backups.locks import lock_tenant
from backups.models import Repository
from backups.remote import manifest as documents
from backups.remote.bringing import Brought, bring
from backups.remote.errors import RemoteMissing
from backups.remote.manifest import Manifest
from backups.remote.opening import is_copy, is_set, open_objects
from backups.remote.publishing import latest, remember
from backups.store import layout
from backups.store.creation import fsync, make_root
from backups.store.reader import is_repository, open_path, open_store, store_path
from backups.store.troubles import is_readable
from inventory import audit
from inventory.models import Tenant

COMING = ".recover-"  # before the name of a repository that is being brought


@dataclass(frozen=True)
class Recovered:
    """What became of one tenant."""

    tenant: str
    packs: int = 0  # that were brought
    size: int = 0  # bytes of them
    batch: int = 0  # the newest change that is here now
    lost: int = 0  # changes that the database names and nobody has any more
    aside: str = ""  # where a repository that could not be used is now
    rebuilt: Rebuilt | None = None
    trouble: str = ""  # why it is not back, and what to do


def tenants_there() -> list[UUID]:
    """Every tenant of whom the object store has something. Raises RemoteError."""
    names = (one.name.removeprefix(documents.TENANTS) for one in open_objects().listed(documents.TENANTS))
    return sorted({UUID(tenant) for tenant, _, rest in (name.partition("/") for name in names) if rest == "pointer"})


def make_unknown(there: Iterable[UUID]) -> list[Tenant]:
    """Rows for tenants of whom only the object store knows: it has their ids, and not their names."""
    known = set(Tenant.objects.filter(pk__in=list(there)).values_list("pk", flat=True))
    return [Tenant.objects.create(id=one, name=f"recovered-{str(one)[:8]}") for one in there if one not in known]


def recover(tenant: Tenant, *, by: str, now: datetime, unsigned: bool = False) -> Recovered:
    """Bring one tenant back as far as there is anything to bring. `unsigned`: the keys are lost, too.

    Raises StoreBusy, RemoteError, StoreError; done again it goes on.
    """
    last = latest(open_objects(), tenant.pk, unsigned=unsigned) if is_set() else None
    manifest = last.manifest if last else None
    brought, aside = have_repository(tenant, manifest, now=now, unsigned=unsigned)
    row = Repository.objects.filter(tenant=tenant, head__isnull=False).first()
    if row is None and not is_repository(store_path(tenant.pk)):
        return Recovered(tenant.name)
    told = {"packs": brought.packs if brought else 0, "size": brought.size if brought else 0, "aside": aside}
    if row is not None and not is_readable(open_store(tenant.pk).git, str(row.head)):
        return behind(tenant, row, manifest, told)
    rebuilt = rebuild(tenant, by=by, now=now)
    if manifest is not None:
        lift_fence(tenant, manifest)
        if is_copy():
            remember(tenant.pk, manifest)  # an empty database does not know that there is a copy
    if brought:
        audit.record(tenant, by=by, action="store.recovered", about=tenant.name, detail={"packs": brought.packs})
    batch = Repository.objects.values_list("seq", flat=True).get(tenant=tenant)
    return Recovered(tenant.name, batch=batch, rebuilt=rebuilt, **told)  # type: ignore[arg-type]


def have_repository(
    tenant: Tenant, manifest: Manifest | None, *, now: datetime, unsigned: bool
) -> tuple[Brought | None, str]:
    """Have a repository that can be used; what was brought, and where one is now that could not be."""
    path = store_path(tenant.pk)
    with transaction.atomic(durable=True):
        lock_tenant(tenant.pk, wait=WAIT)
        row = Repository.objects.filter(tenant=tenant, head__isnull=False).first()
        if is_usable(path, str(row.head) if row else layout.MAIN):
            return None, ""
        if manifest is None:
            return None, ""
        return bring_beside(tenant, path, now=now, unsigned=unsigned)


def is_usable(path: Path, commit: str) -> bool:
    """Whether there is a repository that has the commit the database names, or, where it names none, a record."""
    if not is_repository(path):
        return False
    store = open_path(path)
    try:
        found = store.refs(commit).get(commit) if commit == layout.MAIN else commit
        return found is not None and is_readable(store.git, found)
    except StoreError:
        return False
    finally:
        store.close()


def bring_beside(tenant: Tenant, path: Path, *, now: datetime, unsigned: bool) -> tuple[Brought, str]:
    """Bring the repository under another name, then give it its own; what was there is moved aside."""
    make_root(path.parent)
    coming = path.with_name(f"{COMING}{path.name}")
    brought = bring(tenant.pk, coming, unsigned=unsigned)
    aside = ""
    if path.exists():
        gone = path.with_name(f"{path.name}.lost-{now:%Y%m%dT%H%M%S}")
        path.rename(gone)
        aside = str(gone)
    coming.rename(path)
    fsync(path.parent)
    return brought, aside


def behind(tenant: Tenant, row: Repository, manifest: Manifest | None, told: dict[str, object]) -> Recovered:
    """The database knows more than what could be brought."""
    has = manifest.batch if manifest else 0
    if manifest is None and not is_set():
        raise RemoteMissing(f"The repository of {tenant} cannot be used, and no object store is set to bring it from.")
    sentence = (
        f"The database names change {row.seq} of {tenant}, and the object store has {has}: what came between is lost. "
        f"Look for a copy of the store (`fsck --repair --copy DIR`); where there is none, `fsck --repair --accept-loss "
        f"--tenant {tenant}` writes it off and goes on."
    )
    return Recovered(tenant.name, batch=has, lost=row.seq - has, trouble=sentence, **told)  # type: ignore[arg-type]


def lift_fence(tenant: Tenant, manifest: Manifest) -> None:
    """Let our fence be beyond the one that was published last, or nothing could ever be published again.

    Only where what was published is a part of what is here: else another one has gone on, and must not be overwritten.
    """
    store = open_store(tenant.pk)
    if manifest.head is not None and not is_readable(store.git, manifest.head):
        return
    lower = Repository.objects.filter(tenant=tenant, fence__lte=manifest.fence, seq__gte=manifest.batch)
    lower.update(fence=manifest.fence + 1)
