"""Mirrors as rows: where they are, and what was pushed there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from backups.mirrors import address
from backups.remote.errors import RemoteRefused
from inventory.models import Credential, Tenant
from inventory.pinned import Pinned, PinnedSet
from inventory.tenancy import TenantQuerySet
from inventory.validators import validate_name

CLAIM = timedelta(minutes=30)  # longer than a push may take
LATE = timedelta(hours=3)  # without being known to be up to date, until an alarm says so


class MirrorSet(PinnedSet):
    """Several mirrors."""

    def due(self, now: datetime) -> Self:
        """Those whose time has come and which nobody is at, the longest waiting first."""
        free = Q(busy_until=None) | Q(busy_until__lt=now)
        return self.filter(free, enabled=True, next_at__lte=now).order_by("next_at")

    def claim(self, pk: object, now: datetime) -> bool:
        """Take one; False where somebody else is at it. Who wants it pushed meanwhile moves `next_at` again."""
        free = Q(busy_until=None) | Q(busy_until__lt=now)
        return bool(self.filter(free, pk=pk, enabled=True).update(busy_until=now + CLAIM, next_at=now + CLAIM))

    def wanted(self, now: datetime) -> int:
        """Have them pushed soon: something has changed. Those that fail keep their pace."""
        return self.filter(enabled=True, failures=0).update(next_at=now)

    def late(self, now: datetime) -> Self:
        """Those of which nobody knows for long that they have everything."""
        since = now - LATE
        return self.filter(Q(same_at__lt=since) | Q(same_at=None, created_at__lt=since), enabled=True)


class Mirror(Pinned):
    """A git repository elsewhere that gets all that a tenant's repository holds."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="mirrors")
    name = models.CharField(max_length=100, validators=[validate_name])
    url = models.CharField("address", max_length=address.MAX_LENGTH, help_text=f"{address.FORMS}; without a user.")
    credential = models.ForeignKey(
        Credential,
        on_delete=models.PROTECT,
        related_name="mirrors",
        null=True,
        blank=True,
        help_text="For SSH its user and private key (a deploy key that may write); for HTTPS its user and, as the "
        "password, a token.",
    )
    enabled = models.BooleanField(default=True, help_text="Pushed to after each run.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    next_at = models.DateTimeField(default=timezone.now, editable=False)  # when it is looked at again
    busy_until = models.DateTimeField(null=True, editable=False)
    seq = models.BigIntegerField("has change", default=0, editable=False)  # of the record, and all before it
    same_at = models.DateTimeField("up to date at", null=True, editable=False)  # when it was last seen to have all
    failures = models.PositiveIntegerField(default=0, editable=False)  # in a row
    trouble = models.TextField(blank=True, editable=False)  # why the last try came to nothing; one sentence

    KIND = "mirror"
    objects = MirrorSet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [
            ("push_mirror", "Can push to a mirror now"),
            ("accept_mirror_key", "Can accept a mirror's changed host key"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="mirror_name_once"),
            models.UniqueConstraint(fields=["tenant", "url"], name="mirror_url_once"),
            models.UniqueConstraint(fields=["tenant", "id"], name="mirror_of_tenant"),
        ]
        indexes = [models.Index(fields=["next_at"], name="mirror_due", condition=Q(enabled=True))]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Whether the address is one, and the credential fits it."""
        super().clean()
        try:
            place = address.read(self.url)
        except RemoteRefused as refusal:
            raise ValidationError({"url": str(refusal)}) from refusal
        if place.scheme != "file" and self.credential is None:
            raise ValidationError({"credential": "Name the credential that may write there."})

    def place(self) -> address.Place:
        """The address in parts. Raises RemoteRefused."""
        return address.read(self.url)


class MirroredRef(models.Model):
    """What a mirror's ref named when we left it, and what it may name if we broke off."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", editable=False)
    mirror = models.ForeignKey(Mirror, on_delete=models.CASCADE, related_name="refs", editable=False)
    ref = models.CharField(max_length=100, editable=False)
    commit = models.CharField(max_length=40, blank=True, editable=False)  # empty: it was not there
    trying = models.CharField(max_length=40, blank=True, editable=False)  # noted before a push

    objects = TenantQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["mirror", "ref"], name="mirrored_ref_once")]

    def __str__(self) -> str:
        return f"{self.ref} {self.commit}"

    def may_name(self) -> frozenset[str]:
        """The commits that it may name there because of us."""
        return frozenset(one for one in (self.commit, self.trying) if one)
