"""The rows of transcripts: swept when they are old."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from backups.models import Transcript


def sweep() -> int:
    """Delete the old ones, every minute (`settings.NETCAIRN_TICKS`); how many."""
    before = timezone.now() - timedelta(days=settings.NETCAIRN_TRANSCRIPT_DAYS)
    deleted, _ = Transcript.objects.filter(made_at__lt=before).delete()
    return deleted
