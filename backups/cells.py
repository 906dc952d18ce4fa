"""What stands in a cell of a list: the same marks as on our own pages, from the same small templates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from backups.models import Run
from backups.progress import Progress
from backups.templatetags.netcairn import ago, span
from inventory import moments
from inventory.models import Device


def state(code: str, label: str = "") -> SafeString:
    """A state as a coloured mark: `netcairn/state.html`, whose rendering took half the time of a list of devices."""
    return format_html('<span class="nc-state nc-state-{}">{}</span>', code, label or code)


def when(at: datetime | None, never: str = "never") -> SafeString:
    """How long ago, with the exact time for who points at it."""
    if at is None:
        return format_html('<span class="nc-faint">{}</span>', never)
    exact = moments.told(at, seconds=True)
    return format_html('<time datetime="{}" title="{}">{}</time>', localtime(at).isoformat(), exact, ago(at))


def delta(added: int, removed: int) -> SafeString:
    """Lines that came and went."""
    return render_to_string("netcairn/delta.html", {"added": added, "removed": removed})


def bar(progress: Progress) -> SafeString:
    """A run in one line: its attempts by state."""
    return render_to_string("netcairn/bar.html", {"progress": progress})


def link(row: Model, text: object = None) -> SafeString:
    """The row's page."""
    kind = "overview" if isinstance(row, Device) else "change"
    page = f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}"
    return format_html('<a class="nc-link" href="{}">{}</a>', reverse(page, args=[row.pk]), text or row)


def tags(names: Iterable[str], kind: str = "tag") -> SafeString:
    """Each word as a small mark."""
    return format_html_join(" ", '<span class="nc-{}">{}</span>', ((kind, name) for name in names))


def size(number: int) -> str:
    """Bytes as people read them."""
    return filesizeformat(number)


def took(run: Run) -> str:
    """How long a run worked; empty while it does."""
    return span(run.ended_at - run.started_at) if run.ended_at and run.started_at else ""
