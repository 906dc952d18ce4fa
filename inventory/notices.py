"""What people are to be told: one place that every part tells, and that channels plug into.

A notice is a row. An alarm stays open on the dashboard until somebody settles it, or what raised it finds it mended.
`settings.NETCAIRN_NOTICE_CHANNELS` names the functions that carry a notice further, each called with the notice after
its transaction has been committed.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from inventory.models import Tenant
from inventory.tenancy import TenantQuerySet

logger = logging.getLogger(__name__)


class ChannelFailed(Exception):
    """A channel could not carry a notice; the notice itself is kept."""


class Level(models.TextChoices):
    """How much a notice matters."""

    INFO = "info", "For information"
    ALARM = "alarm", "Alarm"


class NoticeSet(TenantQuerySet):
    """Several notices."""

    def open_alarms(self) -> Self:
        """What still needs a person, the newest first."""
        return self.filter(level=Level.ALARM, settled_at=None).order_by("-last_at")


class Notice(models.Model):
    """One thing that people are to know."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, editable=False, related_name="+")
    code = models.CharField(max_length=60, editable=False)  # what kind: `quota.nearly_full`
    about = models.CharField(max_length=300, editable=False)  # which thing, in words
    text = models.TextField(editable=False)  # one or two sentences: what happened, and what to do
    level = models.CharField(max_length=10, choices=Level.choices, editable=False)
    times = models.PositiveIntegerField(default=1, editable=False)  # that an open alarm was raised
    first_at = models.DateTimeField(editable=False)
    last_at = models.DateTimeField(editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)
    settled_by = models.CharField(max_length=150, blank=True, editable=False)

    objects = NoticeSet.as_manager()

    class Meta:
        ordering = ["-last_at"]
        default_permissions = ("view",)
        permissions = [("settle_notice", "Can settle alarms")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "code", "about"],
                condition=Q(level="alarm", settled_at=None),
                name="notice_alarm_open_once",
            ),
            models.UniqueConstraint(
                fields=["code", "about"],
                condition=Q(level="alarm", settled_at=None, tenant=None),
                name="notice_alarm_of_all_open_once",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-last_at"], name="notice_newest")]

    def __str__(self) -> str:
        return f"{self.about}: {self.text}"


def tell(tenant: Tenant | None, *, code: str, about: str, text: str, level: Level = Level.INFO) -> Notice:
    """Keep a notice and hand it to the channels once the transaction stands.

    An alarm that is still open is renewed instead: its text and time are the new ones, its channels are not troubled
    again.
    """
    now = timezone.now()
    row = {"text": text, "level": level, "first_at": now, "last_at": now}
    if level != Level.ALARM:
        return carried(Notice.objects.create(tenant=tenant, code=code, about=about, **row))
    notice, is_new = Notice.objects.get_or_create(
        tenant=tenant, code=code, about=about, level=level, settled_at=None, defaults=row
    )
    if is_new:
        return carried(notice)
    Notice.objects.filter(pk=notice.pk).update(text=text, last_at=now, times=F("times") + 1)
    notice.refresh_from_db()
    return notice


def settle(tenant: Tenant | None, *, code: str, about: str, by: str = "system") -> bool:
    """Close an open alarm; whether there was one."""
    alarms = Notice.objects.open_alarms().filter(tenant=tenant, code=code, about=about)
    return bool(alarms.update(settled_at=timezone.now(), settled_by=by))


def carried(notice: Notice) -> Notice:
    """Hand the notice to every channel after the commit."""
    transaction.on_commit(partial(carry, notice))
    return notice


def carry(notice: Notice) -> None:
    """Give the notice to every channel; that one fails is logged, and keeps no other from it."""
    for name in settings.NETCAIRN_NOTICE_CHANNELS:
        try:
            import_string(name)(notice)
        except ChannelFailed as exc:
            logger.error("The channel %s could not carry the notice %s: %s", name, notice.pk, exc)


def to_log(notice: Notice) -> None:
    """The channel that is always there."""
    level = logging.WARNING if notice.level == Level.ALARM else logging.INFO
    logger.log(level, "%s: %s: %s", notice.code, notice.about, notice.text)
