"""Whether the parts of the record that have ended are held by their refs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from backups.epochs import Epoch
from backups.store import layout
from backups.store.reader import TenantStore
from backups.store.replaying import is_complete
from backups.store.troubles import Trouble, is_readable
from backups.store.writer import RefMove, make_ref_durable, move_refs
from inventory.models import Tenant


def epoch_refs(tenant: Tenant, store: TenantStore) -> Iterator[Trouble]:
    """Epochs that their ref does not name, or whose last commit is not there. Whoever calls holds the lock."""
    refs = store.refs(layout.EPOCHS)
    for epoch in Epoch.objects.there().filter(tenant=tenant).order_by("number"):
        ref = layout.epoch_ref(epoch.number)
        if not is_readable(store.git, epoch.tip):
            what = f"The last commit of {epoch} of {tenant}, {epoch.tip}, is not there: bring it back from a copy."
            yield Trouble("epoch-ref-missing", what)
        elif refs.get(ref) != epoch.tip:
            what = f"{ref} of {tenant} is missing or names something else: a clone would miss {epoch} of the record."
            yield Trouble("epoch-ref-missing", what, hold(store, ref, epoch.tip, refs.get(ref)))


def hold(store: TenantStore, ref: str, tip: str, instead: str | None) -> Callable[[], None]:
    """Let the ref name the commit; what it named instead is kept in quarantine, if it is all there."""

    def mend() -> None:
        if instead is None:
            (store.path / ref).unlink(missing_ok=True)  # it holds no id: git would neither read nor replace it
        if instead and is_complete(store.git, instead):
            kept = layout.quarantine_ref(instead)
            move_refs(store.git, [RefMove(kept, instead, None)])
            make_ref_durable(store.git, kept)
        move_refs(store.git, [RefMove(ref, tip, instead or layout.NO_ID)])
        make_ref_durable(store.git, ref)

    return mend
