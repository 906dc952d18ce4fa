"""When a cron text is due, on the clock of a time zone. Pure: the moment to start from is an argument.

The rules for changes of summer time are those of Debian's cron (cron(8)). A text that names minutes and hours is due
once on a day on which its hour is left out, as soon as the clock has jumped, and once on a day on which its hour comes
twice, the first time. A text with `*` as minute or hour follows the running clock instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from backups.errors import BadSchedule

MAX_LENGTH = 100  # characters of a cron text


def next_after(text: str, zone: str, after: datetime) -> datetime:
    """The first moment later than `after` at which the text is due, in UTC. Raises BadSchedule."""
    for moment in moments(text, after.astimezone(time_zone(zone))):
        found = moment.astimezone(UTC)
        # cronsim may begin in the first of two equal hours although `after` lies in the second.
        if found > after:
            return found
    raise BadSchedule(f"{text!r} is due on no day of the next fifty years; write another cron text.")


def moments(text: str, local: datetime) -> Iterator[datetime]:
    """All moments from a local one on. Raises BadSchedule for what is no cron text."""
    fields = text.split()
    # cronsim would read a sixth field as seconds; ours are minutes, hours, day of month, month, day of week.
    if len(fields) != 5 or len(text) > MAX_LENGTH:
        raise BadSchedule(f"{text!r} is no cron text; write five fields, such as '0 2 * * *' for every night at two.")
    try:
        return CronSim(text, local)
    except CronSimError as exc:
        reason = str(exc).lower()
        raise BadSchedule(f"{text!r} is no cron text ({reason}); '0 2 * * *' is every night at two.") from exc


def time_zone(name: str) -> ZoneInfo:
    """The time zone of that name in the IANA database. Raises BadSchedule."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise BadSchedule(f"There is no time zone {name!r}; write one such as 'UTC' or 'Europe/Zurich'.") from exc
