"""What is done with the captures of a tenant's platform before they are kept (`processing.py`)."""

from __future__ import annotations

import shlex
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from backups.processing import Bounds, Processing
from inventory.models import Tenant
from inventory.tenancy import TenantOwned, TenantQuerySet
from inventory.validators import validate_line

ARROW = " => "  # between what a replacement finds and what it puts there
MB = 1024**2


class ProcessingSet(TenantQuerySet):
    """Several rows."""

    def of(self, tenant_id: UUID) -> dict[str, Processing]:
        """What is to be done with a tenant's captures, by platform."""
        return {row.platform: row.processing() for row in self.filter(tenant_id=tenant_id, enabled=True)}


class PostProcessing(TenantOwned):
    """What is done with the captures of one platform's devices of a tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="processings")
    platform = models.CharField(max_length=60)
    enabled = models.BooleanField(default=True)
    steps = models.TextField(
        blank=True, help_text=f"One in each line: normalise, strip PATTERN, or replace PATTERN{ARROW}TEXT."
    )
    only = models.CharField(
        "only files",
        max_length=200,
        blank=True,
        help_text="A regular expression for names of files; where none fits, nothing is run. Empty: all.",
    )
    command = models.CharField(
        max_length=500,
        blank=True,
        validators=[validate_line],
        help_text="A program with its full path, and its arguments, run in a folder with copies of the files. Set by "
        "administrators of the platform only: it runs code on this machine.",
    )
    keep_raw = models.BooleanField(
        default=False, help_text="Keep what the device said beside it, as NAME.raw. Only that can be put back."
    )
    seconds = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(300)], help_text="At most, for each step."
    )
    memory_mb = models.PositiveIntegerField(
        "memory in MB", default=512, validators=[MinValueValidator(64), MaxValueValidator(8192)]
    )
    output_mb = models.PositiveIntegerField(
        "output in MB", default=64, validators=[MinValueValidator(1), MaxValueValidator(1024)]
    )

    objects = ProcessingSet.as_manager()

    class Meta:
        verbose_name = "post-processing"
        verbose_name_plural = "post-processing"
        ordering = ["platform"]
        constraints = [models.UniqueConstraint(fields=["tenant", "platform"], name="processing_once")]

    def __str__(self) -> str:
        return f"post-processing of {self.platform}"

    def processing(self) -> Processing:
        """As it is carried out. Raises ValueError for a command whose quotes do not close."""
        return Processing(
            steps=[step_of(line) for line in self.steps.splitlines() if line.strip()],
            only=self.only,
            command=shlex.split(self.command),
            keep_raw=self.keep_raw,
            bounds=Bounds(float(self.seconds), self.memory_mb * MB, self.output_mb * MB),
        )

    def clean(self) -> None:
        """What cannot be done is refused when it is saved, not at night."""
        super().clean()
        try:
            problems = self.processing().problems()
        except ValueError as error:
            raise ValidationError({"command": f"The command cannot be read: {error}."}) from error
        if problems:
            raise ValidationError(problems)


def step_of(line: str) -> list[str]:
    """A line of the form as a step. Blanks in a pattern stay."""
    kind, _, rest = line.strip().partition(" ")
    if kind == "replace":
        # With nothing behind the arrow, what is found is taken away.
        pattern, _, replacement = f"{rest} ".partition(ARROW)
        return [kind, pattern, replacement.removesuffix(" ")]
    return [kind, rest] if rest else [kind]
