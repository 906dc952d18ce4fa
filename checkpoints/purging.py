"""Purging a secret from a tenant's record: the one rewrite, with a map from old commits to new ones.

The new objects and `refs/purged/<old head>` are durable before the transaction in which every row follows; the refs
follow after it, now or with the next collection, which also takes the old objects off the disk.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Func, Model, TextField, Value

from backups.commit import Batch, writing
from backups.masked_texts import folder_of
from backups.models import Attempt, Epoch, QuarantinedFile, Run, Snapshot, Transcript
from backups.store import layout
from backups.store.reader import TenantStore
from backups.store.rewriting import Rewriting
from backups.store.writer import RefMove, make_ref_durable, move_refs
from checkpoints.errors import NothingKept, SecretUnfit
from checkpoints.gc import WAIT, Collected, collect_garbage
from checkpoints.keeping import refuse_on_hold
from checkpoints.models import Checkpoint, Purge, Restore
from checkpoints.record import digest_of
from inventory import audit
from inventory.models import Device, Tenant

INSTEAD = "(purged)"
SHORTEST = 4  # characters; less would tear up texts that have nothing to do with it
CHUNK = 500
UNREACHABLE = (
    "Clones, mirrors and bundles that were made of the repository: whoever has one has the secret.",
    "Exports and downloads.",
    "Copies of the store and of the database, PostgreSQL's own log of changes among them.",
    "Log files and the audit log.",
    "Blocks of the disk that are free now, until something else is written there.",
)


@dataclass(frozen=True)
class Purged:
    """What came of it."""

    purge: Purge
    devices: tuple[Device, ...]  # whose newest version held it: the next backup brings it back unless it was changed
    collected: Collected


def purge_secret(tenant: Tenant, secret: str, *, reason: str, by: str, now: datetime, instead: str = INSTEAD) -> Purged:
    """Write the tenant's record anew without a secret, and take the old one off the disk.

    Commits, checkpoints and versions that held it get other ids, and so does every commit after them; rows follow.
    Nobody writes meanwhile. Raises OnHold, SecretUnfit, NothingKept where it is nowhere, StoreBusy, StoreDamaged.
    """
    unwanted = forms_of(secret, instead)
    refuse_on_hold(tenant)
    with writing(tenant.pk, wait=WAIT) as batch:
        if batch.head is None:
            raise NothingKept(f"Nothing was kept of {tenant} yet.")
        rewriting = Rewriting(batch.store, unwanted, instead.encode())
        rewriting.rewrite([batch.head, *pins(tenant), *batch.store.refs().values()])
        texts = clean_texts(tenant, secret, unwanted, instead)
        if not rewriting.commits and not texts:
            raise NothingKept(f"This is in no version, checkpoint or quarantined text of {tenant}.")
        rewriting.write()
        devices = holders(tenant, rewriting.files)
        follow_rows(tenant, batch, rewriting)
        purge = Purge.objects.create(
            tenant=tenant,
            at=now,
            by=by,
            reason=reason[:300],
            commits=rewriting.commits,
            files=len(rewriting.files),
            versions=rewritten_versions(tenant, batch.store, rewriting),
        )
        detail = {"reason": purge.reason, "commits": len(purge.commits), "files": purge.files}
        audit.record(tenant, by=by, action="secret.purged", about=str(tenant), detail=detail)
    shutil.rmtree(folder_of(tenant.pk), ignore_errors=True)
    return Purged(purge, devices, collect_garbage(tenant, now=now))


def forms_of(secret: str, instead: str) -> list[bytes]:
    """The secret as bytes, in the two ways in which devices write. Raises SecretUnfit."""
    if len(secret) < SHORTEST or "\n" in secret:
        raise SecretUnfit(f"A secret to be purged is one line of at least {SHORTEST} characters.")
    if secret in instead:
        raise SecretUnfit("What is put in its place must not contain it.")
    forms = [secret.encode()]
    if not secret.isascii() and all(ord(character) < 256 for character in secret):
        forms.append(secret.encode("latin-1"))
    return forms


def pins(tenant: Tenant) -> list[str]:
    """The commits that rows name."""
    checkpoints = Checkpoint.objects.filter(tenant=tenant).values_list("pin", flat=True)
    return [*checkpoints, *Epoch.objects.there().filter(tenant=tenant).values_list("tip", flat=True)]


def holders(tenant: Tenant, files: Mapping[str, str]) -> tuple[Device, ...]:
    """The devices whose newest version held it."""
    newest = Snapshot.objects.filter(tenant=tenant).latest_by_device().select_related("device")
    return tuple(one.device for one in newest if any(file["blob"] in files for file in one.files.values()))


def clean_texts(tenant: Tenant, secret: str, unwanted: Iterable[bytes], instead: str) -> int:
    """Take it out of what is kept in the database alone; how many rows held it."""
    count = 0
    for row in QuarantinedFile.objects.filter(tenant=tenant).iterator(chunk_size=CHUNK):
        clean = bytes(row.content)
        for form in unwanted:
            clean = clean.replace(form, instead.encode())
        if clean != bytes(row.content):
            count += QuarantinedFile.objects.filter(pk=row.pk).update(content=clean)
    places: tuple[tuple[type[Model], str], ...] = (
        (Checkpoint, "message"),
        (Attempt, "detail"),
        (Transcript, "text"),
        (Restore, "detail"),
    )
    for model, name in places:
        rows = model._default_manager.filter(tenant=tenant, **{f"{name}__contains": secret})
        clean_text = Func(F(name), Value(secret), Value(instead), function="replace", output_field=TextField())
        count += rows.update(**{name: clean_text})
    return count


def follow_rows(tenant: Tenant, batch: Batch, rewriting: Rewriting) -> None:
    """Let every row name what took the place of what it named, in the batch's transaction."""
    if batch.head in rewriting.commits:
        mark = layout.purged_ref(batch.head)
        batch.txn_refs.append(mark)  # gone once main has followed
        move_refs(batch.store.git, [RefMove(mark, rewriting.commits[batch.head], None)])
        make_ref_durable(batch.store.git, mark)
        batch.advance(rewriting.commits[batch.head], batch.seq)
    for model, name in ((Checkpoint, "pin"), (Checkpoint, "commit"), (Epoch, "tip"), (Run, "commit")):
        rename(model, name, tenant, rewriting.commits)
    for restore in Restore.objects.filter(tenant=tenant).exclude(target={}):
        if any(file["blob"] in rewriting.files for file in restore.target.values()):
            target = {name: renamed(file, rewriting) for name, file in restore.target.items()}
            Restore.objects.filter(pk=restore.pk).update(target=target)


def rename(model: type[Model], name: str, tenant: Tenant, commits: Mapping[str, str]) -> None:
    """One column that names commits."""
    rows = model._default_manager.filter(tenant=tenant)
    changed = [row for row in rows.only("pk", name) if getattr(row, name) in commits]
    for row in changed:
        setattr(row, name, commits[getattr(row, name)])
    rows.bulk_update(changed, [name], batch_size=CHUNK)


def renamed(file: Mapping[str, object], rewriting: Rewriting) -> dict[str, object]:
    """A file of a version as it is now."""
    new = rewriting.files.get(str(file["blob"]))
    return {**file, "blob": new, "size": rewriting.sizes[new]} if new else dict(file)


def rewritten_versions(tenant: Tenant, store: TenantStore, rewriting: Rewriting) -> int:
    """Let versions name their new commits and files, with new digests where the content changed; how many those are."""
    rows = Snapshot.objects.filter(tenant=tenant).select_related("device")
    changed, count = [], 0
    for row in rows.iterator(chunk_size=CHUNK):
        touched = any(file["blob"] in rewriting.files for file in row.files.values())
        if not touched and row.commit not in rewriting.commits:
            continue
        row.commit = rewriting.commits.get(row.commit, row.commit)
        if touched:
            count += 1
            row.files = {name: renamed(file, rewriting) for name, file in row.files.items()}
            row.size = sum(int(file["size"]) for file in row.files.values())
            if not row.pruned_at:
                row.digest = digest_of(store, row.device, {n: str(f["blob"]) for n, f in row.files.items()})
        changed.append(row)
    Snapshot.objects.bulk_update(changed, ["commit", "files", "size", "digest"], batch_size=CHUNK)
    return count
