"""Who guessed too often: an account, or an address, is refused for a while, whichever web process is asked.

Counted in the database by single statements, so that guesses that come at the same moment are all counted. A name
that nobody has is counted as well, or a lock would tell which names there are; it is kept as a digest only, because
people type passwords where names belong.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.crypto import salted_hmac

WITHIN = timedelta(minutes=15)  # failures that lie further apart are not counted together
LOCKED_FOR = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


class LockoutSet(models.QuerySet):
    """Several counts."""

    def locked(self, now: datetime) -> Self:
        """Those that are refused now."""
        return self.filter(until__gt=now)


class Lockout(models.Model):
    """Failed logins of one account, or from one address."""

    class Kind(models.TextChoices):
        """What is counted."""

        ACCOUNT = "account", "Account"
        ADDRESS = "address", "Address"

    kind = models.CharField(max_length=10, choices=Kind.choices, editable=False)
    name = models.CharField(max_length=150, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_at = models.DateTimeField(default=timezone.now, editable=False)
    until = models.DateTimeField("locked until", null=True, editable=False)

    objects = LockoutSet.as_manager()

    class Meta:
        ordering = ["-last_at"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="lockout_once")]

    # An office of many people comes from one address; an account is one person's.
    LIMITS = {Kind.ACCOUNT: 5, Kind.ADDRESS: 30}

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"


def account_key(username: str) -> str:
    """Under which an account is counted: its name, or where there is none of that name, a digest of what was typed."""
    found = User.objects.filter(username=username).values_list("username", flat=True).first()
    return found or f"unknown {salted_hmac('netcairn.lockouts', username).hexdigest()[:16]}"


def locked_until(username: str, address: str, *, now: datetime) -> datetime | None:
    """Until when this account, or everybody at this address, is refused; None where nobody is."""
    account = Q(kind=Lockout.Kind.ACCOUNT, name=account_key(username))
    rows = Lockout.objects.locked(now).filter(account | Q(kind=Lockout.Kind.ADDRESS, name=address))
    return rows.order_by("-until").values_list("until", flat=True).first()


def count_failure(username: str, address: str, *, now: datetime) -> bool:
    """One more wrong guess; whether it was the one that locks."""
    account = count(Lockout.Kind.ACCOUNT, account_key(username), now)
    return count(Lockout.Kind.ADDRESS, address, now) or account


def count(kind: Lockout.Kind, name: str, now: datetime) -> bool:
    """Of one kind. Beginning anew where the last failure is long past."""
    row, _ = Lockout.objects.get_or_create(kind=kind, name=name)
    anew = When(last_at__lt=now - WITHIN, then=Value(1))
    same = Lockout.objects.filter(pk=row.pk)
    same.update(failures=Case(anew, default=F("failures") + 1), last_at=now)
    free = Q(until=None) | Q(until__lte=now)
    return bool(same.filter(free, failures__gte=Lockout.LIMITS[kind]).update(until=now + LOCKED_FOR))


def forget(username: str) -> None:
    """The account's owner was here. What came from the address is not forgotten: a guesser may have an account too."""
    Lockout.objects.filter(kind=Lockout.Kind.ACCOUNT, name=account_key(username)).delete()


def sweep() -> None:
    """Counts that matter no more; called by the minute's tick."""
    past = timezone.now() - FORGOTTEN_AFTER
    Lockout.objects.filter(last_at__lt=past).delete()
