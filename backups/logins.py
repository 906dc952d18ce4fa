"""Several credentials for one device, tried in order, and never so often that an account gets locked.

Two limits hold. A device is asked with at most two credentials that it refuses. And an account that devices refuse
one after the other is paused: behind them may be one server that counts. How many of a new account's logins are under
way at the same time is part of that limit, until one was accepted.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from backups.collect import Collected, collect
from backups.errors import CollectError, LoginPaused, LoginRefused
from backups.floor import FLOOR
from backups.transport import Target
from inventory.platforms.sheet import Platform

REFUSED_BY_A_DEVICE = 2  # credentials, in one visit
REFUSED_IN_A_ROW = 3  # devices, of an account that none has accepted yet; servers that lock do it from five on
REFUSED_THOUGH_KNOWN = 10  # the same for an account that was accepted in this run: then the devices are odd, not it
PAUSE = timedelta(minutes=10)  # after that one more is tried
SLOW = 5.0  # seconds after which a login that is under way holds up no other


@dataclass
class Account:
    """How one credential has fared."""

    name: str
    refused: int = 0  # in a row
    paused_until: datetime | None = None
    accepted: bool = False  # a moment ago, or in this run
    mine: bool = True  # while nobody knows whether it is right, one worker alone finds out
    waiting: int = 0  # threads
    trying: dict[int, float] = field(default_factory=dict)  # thread -> since when, on the monotonic clock
    # Since it was last written down
    news: bool = False
    anew: int | None = None  # what the count began anew from
    unsaved: int = 0  # refusals after that

    @property
    def limit(self) -> int:
        """So many refusals in a row pause it."""
        return REFUSED_THOUGH_KNOWN if self.accepted else REFUSED_IN_A_ROW

    def begin_anew(self, refused: int) -> None:
        """Count from here."""
        self.refused = self.anew = refused
        self.unsaved, self.news = 0, True

    def under_way(self) -> list[float]:
        """Since when the logins are under way that hold up others; the longest first."""
        now = monotonic()
        return sorted(since for since in self.trying.values() if now - since < SLOW)


class LoginGate:
    """Counts the refused logins of each credential over all devices of a worker.

    What other workers count comes in by `hear` (backups/accounts.py).
    """

    def __init__(self, now: Any) -> None:
        """`now` tells the time as a datetime."""
        self._now = now
        self._accounts: dict[str, Account] = {}
        self._moved = threading.Condition()

    def know(self, key: str, name: str, *, refused: int = 0, paused_until: datetime | None = None) -> None:
        """Begin with what earlier runs have seen of a credential."""
        with self._moved:
            self._accounts.setdefault(key, Account(name, refused, paused_until))

    def hear(self, key: str, *, refused: int, paused_until: datetime | None, accepted: bool, mine: bool) -> None:
        """What all workers together know of a credential, this one's own news included."""
        with self._moved:
            account = self._account(key)
            account.mine = mine
            if account.anew is None:  # else the others will hear of us first
                account.refused, account.paused_until = refused + account.unsaved, paused_until
            account.accepted = (account.accepted or accepted) and account.paused_until is None
            self._pause_if_due(account)
            self._moved.notify_all()

    def enter(self, key: str) -> None:
        """A login with the credential is about to be sent; waits while others may be refused. Raises LoginPaused."""
        with self._moved:
            account = self._account(key)
            while True:
                self._check_pause(account)
                waits = self._waits(account)
                if waits <= 0:
                    break
                account.waiting += 1
                self._moved.wait(waits)
                account.waiting -= 1
            account.trying[threading.get_ident()] = monotonic()

    def _account(self, key: str) -> Account:
        return self._accounts.setdefault(key, Account(key))

    def _check_pause(self, account: Account) -> None:
        if account.paused_until is None:
            return
        if self._now() >= account.paused_until:  # one more may be tried, and a success ends it
            if account.mine:
                account.paused_until = None
                account.begin_anew(REFUSED_IN_A_ROW - 1)
            return
        raise LoginPaused(
            f"Credential {account.name} was refused by {account.refused} devices in a row and is not tried before "
            f"{account.paused_until:%H:%M} UTC, so that its account is not locked; correct it, then back up again."
        )

    def _waits(self, account: Account) -> float:
        """Seconds to wait for another login to end; 0: go."""
        if account.accepted:
            return 0.0
        if not account.mine:
            return SLOW
        pending = account.under_way()
        if len(pending) + account.refused < REFUSED_IN_A_ROW:
            return 0.0
        return max(0.01, pending[0] + SLOW - monotonic()) if pending else 0.0

    def accepted(self, key: str) -> None:
        """A device let the credential in."""
        with self._moved:
            account = self._leave(key)
            if account.refused or not account.accepted:
                account.begin_anew(0)
            account.accepted = True

    def refused(self, key: str) -> None:
        """A device refused it."""
        with self._moved:
            account = self._leave(key)
            account.refused += 1
            account.unsaved += 1
            account.news = True
            self._pause_if_due(account)

    def _pause_if_due(self, account: Account) -> None:
        if account.refused >= account.limit and account.paused_until is None:
            account.paused_until, account.accepted, account.news = self._now() + PAUSE, False, True

    def gone(self, key: str) -> None:
        """A login ended without an answer."""
        with self._moved:
            self._leave(key)

    def _leave(self, key: str) -> Account:
        account = self._account(key)
        account.trying.pop(threading.get_ident(), None)
        self._moved.notify_all()
        return account

    def news(self) -> Mapping[str, Account]:
        """What has to be written down, by credential; asked once."""
        with self._moved:
            told = {key: replace(account) for key, account in self._accounts.items() if account.news}
            for key in told:
                account = self._accounts[key]
                account.news, account.anew, account.unsaved = False, None, 0
            return told

    def unresolved(self) -> Mapping[str, Account]:
        """Those of which nobody knows yet whether they are right."""
        with self._moved:
            return {key: replace(one) for key, one in self._accounts.items() if not one.accepted}


@dataclass(frozen=True)
class Doorman:
    """The gate as one target's login knows it."""

    gate: LoginGate
    key: str

    def before_login(self) -> None:
        """See LoginGate.enter."""
        with FLOOR.left:
            self.gate.enter(self.key)

    def after_login(self) -> None:
        """See LoginGate.accepted."""
        self.gate.accepted(self.key)


def collect_by_any(targets: Sequence[Target], platform: Platform, *, gate: LoginGate, **how: Any) -> Collected:
    """`collect` with the first of these targets that the device lets in; they differ in nothing but the credential.

    Raises what `collect` raises, LoginRefused where no credential is left, and LoginPaused where none was tried.
    """
    refusals: list[LoginRefused] = []
    for target in targets:
        if sum(not isinstance(one, LoginPaused) for one in refusals) == REFUSED_BY_A_DEVICE:
            break
        key = target.credential
        try:
            collected = collect(replace(target, doorman=Doorman(gate, key)), platform, **how)
        except LoginPaused as error:
            refusals.append(error)
        except LoginRefused as error:
            gate.refused(key)
            refusals.append(error)
        except CollectError:
            gate.gone(key)
            raise
        else:
            gate.accepted(key)
            return replace(collected, credential=key)
    raise in_one(refusals, tried=len(refusals), of=len(targets))


def in_one(refusals: Sequence[LoginRefused], *, tried: int, of: int) -> LoginRefused:
    """One error for all refusals: that of the device, where it was asked at all."""
    asked = [one for one in refusals if not isinstance(one, LoginPaused)]
    if len(refusals) == 1 or not asked:
        return refusals[0]
    rest = of - tried
    left = f" {rest} more {'was' if rest == 1 else 'were'} not tried, so that no account is locked." if rest else ""
    told = LoginRefused(f"{asked[0]} {len(asked)} credentials were refused.{left}")
    told.transcript = "\n".join(one.transcript for one in refusals if one.transcript)
    told.seconds = sum(one.seconds or 0.0 for one in asked)
    return told
