"""Looking whether git and the database agree, and mending what can be mended without guessing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import transaction

from backups.errors import NoStore, StoreError
from backups.locks import lock_tenant
from backups.models import Repository, Snapshot
from backups.store import layout
from backups.store.reader import TenantStore, open_store
from backups.store.troubles import Trouble, troubles
from inventory.models import Tenant

ROWS = 2000
DIED = 128  # git's exit status where it cannot read an object
LONG = 3600.0  # seconds: a large repository takes minutes to read
NAMED = 20  # damaged objects that are named one by one
LEFT_ALONE = frozenset({"database-older"})
"""Not mended here: a writer puts aside what the database has forgotten, `--rebuild` gives it back to the database."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    code: str
    tenant: str
    what: str  # one sentence
    repairable: bool = False
    repaired: bool = False


def check(tenant: Tenant, *, full: bool = False, repair: bool = False, wait: float = 10.0) -> list[Finding]:
    """What is wrong with a tenant's store; with `repair`, what can be mended is.

    Every version's row is compared with git; `full` also reads every object, and that takes as long as it is large.
    A store that is busy is a finding, not an error: the other tenants are looked at all the same.
    """
    findings: list[Finding] = []
    try:
        with transaction.atomic(durable=True):
            lock_tenant(tenant.pk, wait=wait)
            findings.extend(settle(trouble, tenant, repair=repair) for trouble in disagreements(tenant))
        # Without the lock: what is kept does not change, and a writer must not wait for it.
        findings.extend(settle(trouble, tenant, repair=repair) for trouble in losses(tenant, full=full))
    except StoreError as exc:
        # What was found until here stays on the list.
        findings.append(Finding(exc.cause, tenant.name, str(exc)))
    return findings


def settle(trouble: Trouble, tenant: Tenant, *, repair: bool) -> Finding:
    """Mend it where that is wished and possible."""
    repairable = trouble.mend is not None and trouble.code not in LEFT_ALONE
    if repair and repairable and trouble.mend:
        trouble.mend()
    return Finding(trouble.code, tenant.name, trouble.what, repairable, repairable and repair)


def disagreements(tenant: Tenant) -> Iterator[Trouble]:
    """What is wrong between the row and the refs; to be mended while iterating, because one may hide the next."""
    head = Repository.objects.filter(tenant=tenant).values_list("head", flat=True).first()
    try:
        store = open_store(tenant.pk)
    except NoStore as exc:
        if head is not None:
            yield Trouble("missing-repository", f"{exc} Yet the database names {head}: bring a copy of it back.")
        return
    yield from troubles(store, head)


def losses(tenant: Tenant, *, full: bool) -> Iterator[Trouble]:
    """What the rows name and git has not, or not so; with `full`, everything that git cannot read."""
    try:
        store = open_store(tenant.pk)
    except NoStore:
        return
    rows = Snapshot.objects.filter(tenant=tenant).select_related("device").order_by("seq")
    for some in batched(rows.iterator(ROWS), ROWS):
        yield from lost_files(store, some)
    if full:
        yield from damaged_objects(store)


def lost_files(store: TenantStore, snapshots: Iterable[Snapshot]) -> Iterator[Trouble]:
    """Files of versions that are not in their commit as the row says, or not at all."""
    wanted = [(one, name, file["blob"]) for one in snapshots for name, file in one.files.items()]
    asked = "".join(f"{one.commit}:{layout.device_file(one.device_id, name)}\n" for one, name, _ in wanted)
    command = ("cat-file", "--batch-check=%(objectname)")
    answer = store.git.run(*command, stdin=asked.encode(), seconds=LONG, expect=(0, DIED))
    if answer.status == DIED:
        yield Trouble("damaged-object", f"{store.path}: {answer.complaint.decode('utf-8', 'replace').strip()}")
        return
    for (one, name, blob), found in zip(wanted, answer.out.decode().splitlines(), strict=True):
        if found != blob:
            what = f"{name} of {one.device} in version {one.pk} of {one} is lost: {blob} is not in commit {one.commit}."
            yield Trouble("missing-object", what)


def damaged_objects(store: TenantStore) -> Iterator[Trouble]:
    """What `git fsck` has to say."""
    options = ("--full", "--strict", "--no-dangling", "--no-progress")
    answer = store.git.run("fsck", *options, seconds=LONG, expect=tuple(range(256)))
    if not answer.status:
        return
    said = (answer.out + answer.complaint).decode("utf-8", "replace").splitlines()
    for line in said[:NAMED]:
        yield Trouble("damaged-object", f"{store.path}: {line}")
    if len(said) > NAMED:
        yield Trouble("damaged-object", f"{store.path}: and {len(said) - NAMED} lines more of `git fsck --full`.")


def batched(rows: Iterator[Snapshot], size: int) -> Iterator[list[Snapshot]]:
    """The rows, so many at a time."""
    while some := list(islice(rows, size)):
        yield some


def all_findings(tenants: Iterable[Tenant], *, full: bool, repair: bool) -> list[Finding]:
    """What is wrong with the stores of these tenants."""
    return [finding for tenant in tenants for finding in check(tenant, full=full, repair=repair)]
