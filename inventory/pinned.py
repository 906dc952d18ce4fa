"""What has an SSH host key that is pinned: devices and jump hosts."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from inventory.host_keys import fingerprint
from inventory.tenancy import TenantOwned, TenantQuerySet


class PinnedSet(TenantQuerySet):
    """Several of them."""

    def strangers(self) -> Self:
        """Those that showed another key than the pinned one: nothing logs in to them until a person has decided."""
        return self.exclude(presented_key="")

    def forget_host_keys(self) -> int:
        """Unpin the keys: the next connection pins whatever key it meets."""
        pinned = self.exclude(host_key="", presented_key="")
        return pinned.update(host_key="", presented_key="", presented_at=None)


class Pinned(TenantOwned):
    """Something that proves by its SSH host key who it is."""

    host_key = models.TextField(
        blank=True, editable=False, help_text="The pinned SSH host key: type and base64, as in known_hosts."
    )
    presented_key = models.TextField(
        blank=True, default="", db_default="", editable=False
    )  # another that it showed, and nobody has judged yet
    presented_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    KIND = "device"  # as actions in the audit log begin

    def host_key_fingerprint(self) -> str:
        """The pinned host key as OpenSSH shows it: type and SHA-256 in base64; empty where none is pinned."""
        return fingerprint(self.host_key)

    def presented_fingerprint(self) -> str:
        """The same of the key that waits to be judged."""
        return fingerprint(self.presented_key)

    def pin(self, host_key: str) -> bool:
        """Trust on first use: the key that is shown first is the one to be shown from now on. Whether it is new."""
        if self.host_key or not host_key:
            return False
        self.host_key = host_key
        return bool(type(self)._default_manager.filter(pk=self.pk, host_key="").update(host_key=host_key))

    def suspect(self, presented: str, now: datetime) -> bool:
        """Note that it showed another key; whether that is news."""
        unjudged = type(self)._default_manager.filter(pk=self.pk, host_key=self.host_key)
        fresh = unjudged.exclude(presented_key=presented)
        return bool(fresh.update(presented_key=presented, presented_at=now))
