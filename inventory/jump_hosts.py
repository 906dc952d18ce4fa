"""Hosts through which devices are reached, one behind the other where it has to be."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from inventory.pinned import Pinned, PinnedSet
from inventory.validators import validate_address, validate_name

MAX_HOPS = 5


class JumpHost(Pinned):
    """A host that lets connections through to devices (SSH's direct-tcpip)."""

    tenant = models.ForeignKey("inventory.Tenant", on_delete=models.PROTECT, related_name="jump_hosts")
    name = models.CharField(max_length=100, validators=[validate_name])
    address = models.CharField(max_length=253, validators=[validate_address])
    port = models.PositiveIntegerField(default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    credential = models.ForeignKey("inventory.Credential", on_delete=models.PROTECT, related_name="jump_hosts")
    through = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="beyond",
        help_text="Another jump host that this one is reached through.",
    )
    max_sessions = models.PositiveSmallIntegerField(
        "devices at a time", default=50, help_text="Devices that are talked to through it at a time; 0 sets no limit."
    )

    KIND = "jump_host"
    objects = PinnedSet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("accept_jump_host_key", "Can accept a jump host's changed host key")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="jump_host_name_once"),
            models.UniqueConstraint(fields=["tenant", "id"], name="jump_host_of_tenant"),
        ]

    def __str__(self) -> str:
        return self.name

    def hops(self) -> list[JumpHost]:
        """The way to it, the nearest first and itself last. Raises ValidationError where the way has no beginning."""
        way: list[JumpHost] = []
        hop: JumpHost | None = self
        while hop is not None:
            if hop.pk in {one.pk for one in way} or len(way) == MAX_HOPS:
                raise ValidationError({"through": f"The way to {self} runs in a circle, or over too many hops."})
            way.insert(0, hop)
            hop = hop.through
        return way

    def clean(self) -> None:
        """The way to it must begin somewhere."""
        super().clean()
        self.hops()
