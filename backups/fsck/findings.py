"""What a look at a store has found, and what people are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from backups.errors import StoreDamaged, StoreError
from backups.store.troubles import Trouble
from inventory.models import Tenant
from inventory.notices import Level, Notice, settle, tell

LOSS = "store.damaged"  # the alarm that stands until a look finds all well
PUT_ASIDE = "store.foreign"  # the alarm that a person closes: what somebody else wrote was put aside
LEFT_ALONE = frozenset({"database-older"})
"""Not mended here: a writer puts aside what the database has forgotten, `--rebuild` gives it back to the database."""
HARMLESS = frozenset({"store-busy", "git-failed", "git-missing", "git-too-slow", "disk-full", "disk-read-only"})
"""Why a look could not be made, which says nothing of the store."""
TOLD = 5  # findings that an alarm quotes


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    code: str  # one of `backups/store/codes.py`, or the cause of a StoreError that stopped the look
    tenant: str
    what: str  # one sentence
    repairable: bool = False
    repaired: bool = False

    @property
    def serious(self) -> bool:
        """Whether a person has to do something, because something kept is not where it belongs."""
        return not self.repairable and self.code not in HARMLESS


def found(trouble: Trouble, tenant: Tenant, *, repair: bool) -> Finding:
    """Mend a trouble where that is wished and possible, and say so. A mend that fails leaves the trouble unrepaired."""
    repairable = trouble.mend is not None and trouble.code not in LEFT_ALONE
    what = trouble.what
    mended = False
    if repair and repairable and trouble.mend:
        try:
            trouble.mend()
            mended = True
        except StoreError as exc:
            what = f"{what} It could not be repaired: {exc}"
    if mended and trouble.alarm:
        raise_alarm(tenant.pk, PUT_ASIDE, what)
    return Finding(trouble.code, tenant.name, what, repairable, mended)


@contextmanager
def alarming(tenant_id: UUID) -> Iterator[list[Trouble]]:
    """Around a writer's transaction: what he mended and people should know of, and what keeps him from writing.

    Told when the transaction has ended, because one that is undone must not undo the alarm.
    """
    mended: list[Trouble] = []
    try:
        yield mended
    except StoreDamaged as exc:
        raise_alarm(tenant_id, LOSS, str(exc))
        raise
    finally:
        for trouble in mended:
            if trouble.alarm:
                raise_alarm(tenant_id, PUT_ASIDE, trouble.what)


def raise_alarm(tenant_id: UUID, code: str, text: str) -> Notice:
    """An alarm about a tenant's store."""
    tenant = Tenant.objects.get(pk=tenant_id)
    return tell(tenant, code=code, about=f"store of {tenant}", text=text, level=Level.ALARM)


def announce(tenant: Tenant, findings: Iterable[Finding]) -> Notice | None:
    """Raise the alarm over what is lost or damaged; where nothing is, close it, if the look was not cut short."""
    seen = list(findings)
    serious = [one.what for one in seen if one.serious]
    if not serious:
        if not any(one.code in HARMLESS for one in seen):
            settle(tenant, code=LOSS, about=f"store of {tenant}")
        return None
    more = [f"And {len(serious) - TOLD} findings more."] if len(serious) > TOLD else []
    text = " ".join([*serious[:TOLD], *more, f"See `fsck --tenant {tenant}`."])
    return raise_alarm(tenant.pk, LOSS, text)
