"""What all workers together know of the accounts that they log in with: the limits hold over every process and host.

Only the thread that has the database uses this. While nobody knows whether a credential is right, one worker at a time
may find out (`Credential.tried_by`), so that never more logins are under way than may be refused, however many workers
there are. The others' threads wait at the gate, connected, before they send anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.db.models import F, Q

from backups.logins import SLOW, Account, LoginGate
from inventory.models import Credential

if TYPE_CHECKING:
    from collections.abc import Callable

    from inventory.tenancy import TenantQuerySet

PROVEN = timedelta(minutes=10)  # so long a credential that was let in needs no finding out
TURN = timedelta(seconds=SLOW + 2)  # for finding out, renewed while a login is under way
MOST = 1000  # refusals are counted up to here


class Accounts:
    """One worker's part in it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.gate = LoginGate(clock)
        self._clock = clock
        self._me = str(uuid4())
        self._changed_at: dict[str, datetime] = {}  # of credentials, as they were taken along
        self._mine_until: dict[str, datetime] = {}

    def know(self, credential: Credential) -> None:
        """A device is about to be asked with it."""
        key = str(credential.pk)
        if key not in self._changed_at:
            self._changed_at[key] = credential.changed_at
            self.gate.know(
                key, credential.name, refused=credential.refused_in_a_row, paused_until=credential.paused_until
            )
            self._look(key)

    def confer(self) -> None:
        """Tell the others what devices said, and hear what they were told. Costs nothing while all is known."""
        for _ in range(2):  # what is heard may be one refusal too many, which is news again
            for key, account in self.gate.news().items():
                self._write(key, account)
                self._hear(key)
        now = self._clock()
        for key, account in self.gate.unresolved().items():
            if key not in self._changed_at:
                continue
            if not account.mine and account.waiting:
                self._look(key)
            elif account.mine and now > self._mine_until.get(key, now) - TURN / 2:
                self._renew(key, still=bool(account.under_way()))

    def leave(self) -> None:
        """Nothing is asked any more."""
        self.confer()
        Credential.objects.filter(pk__in=self._mine_until, tried_by=self._me).update(tried_by="")

    def _row(self, key: str) -> TenantQuerySet:
        """The credential, unless it was changed meanwhile: then what was refused says nothing about it."""
        return Credential.objects.filter(pk=key, changed_at=self._changed_at[key])

    def _look(self, key: str) -> None:
        """Find out about it where nobody else does, and hear what is known."""
        now = self._clock()
        free = Q(tried_by__in=("", self._me)) | Q(tried_until__lt=now)
        unknown = Q(accepted_at=None) | Q(accepted_at__lt=now - PROVEN)
        if self._row(key).filter(free, unknown).update(tried_by=self._me, tried_until=now + TURN):
            self._mine_until[key] = now + TURN
        self._hear(key)

    def _hear(self, key: str) -> None:
        known = self._row(key).values("refused_in_a_row", "paused_until", "accepted_at", "tried_by").first()
        if known is None:  # it was changed or deleted: what this worker took along is nobody else's matter
            return
        at = known["accepted_at"]
        self.gate.hear(
            key,
            refused=known["refused_in_a_row"],
            paused_until=known["paused_until"],
            accepted=at is not None and at >= self._clock() - PROVEN,
            mine=known["tried_by"] == self._me,
        )

    def _write(self, key: str, account: Account) -> None:
        if key not in self._changed_at:
            return
        began: Any = F("refused_in_a_row") if account.anew is None else account.anew
        changes = {"refused_in_a_row": began + account.unsaved, "paused_until": account.paused_until}
        if account.accepted:
            changes |= {"accepted_at": self._clock(), "tried_by": ""}
        elif account.paused_until:
            changes |= {"accepted_at": None, "tried_by": ""}
        self._row(key).filter(refused_in_a_row__lt=MOST).update(**changes)

    def _renew(self, key: str, *, still: bool) -> None:
        """Go on finding out while a login is under way; else let others."""
        now = self._clock()
        if still:
            self._row(key).filter(tried_by=self._me).update(tried_until=now + TURN)
            self._mine_until[key] = now + TURN
        else:
            self._row(key).filter(tried_by=self._me).update(tried_by="")
            self._hear(key)
