"""Words and times as our pages write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

STEPS = ((86400, "d"), (3600, "h"), (60, "min"))  # seconds of a unit, coarsest first
LONG_AGO = timedelta(days=60)  # from here on a date says more than a number of days


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, in one unit and few letters: `3 min ago`; a date for what is long ago."""
    if moment is None:
        return ""
    passed = timezone.now() - moment
    if passed > LONG_AGO:
        return f"{moment:%-d %b %Y}"
    seconds = int(passed.total_seconds())
    return f"{seconds} s ago" if 0 < seconds < 10 else f"{span(passed)} ago" if seconds > 0 else "just now"


@register.filter
def span(length: float | timedelta | None) -> str:
    """A length of time (seconds) in one unit: `0.8 s`, `45 s`, `12 min`, `3 h`, `9 d`."""
    if length is None:
        return ""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    for unit, letter in STEPS:
        if round(seconds) >= unit:
            return f"{seconds / unit:.0f} {letter}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


@register.filter
def since(then: datetime | None, now: datetime) -> timedelta | None:
    """How long ago something was, for `span`."""
    return None if then is None else now - then


@register.filter
def of(by_key: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping has for the key, or None: `kept|of:attempt.device_id`."""
    return by_key.get(key)


@register.filter
def words(code: Any) -> str:
    """A cause or a state as people read it: `login-refused` is `login refused`."""
    return str(code or "").replace("-", " ").replace("_", " ")


@register.filter
def ticked(text: str) -> SafeString:
    """What stands between backticks as what is typed: so the notes of sheets are written."""
    parts = ((" class=nc-mono" if at % 2 else "", part) for at, part in enumerate(text.split("`")))
    return format_html_join("", "<span{}>{}</span>", parts)
