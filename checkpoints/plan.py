"""What putting a version back onto a device would do, line by line. Pure: no device, no database, no clock.

A plan is made from what the device says now and what it said then. It is shown, agreed to by its fingerprint, and then
only that plan is carried out: made again from a fresh look, it must have the same fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from backups.capture import stable
from backups.processing import RAW
from checkpoints.plan_by_lines import ByLines, by_lines
from checkpoints.plan_checks import (
    AS_SAID,
    Files,
    Processed,
    fit_to_load,
    loadable,
    missing,
    obstacles,
    unknown_state,
    unoriginal,
    warnings,
)
from inventory.platforms.procedure import CHANGES, BackTo, By, Line, Procedure
from inventory.platforms.sheet import Platform, Way


@dataclass(frozen=True)
class Upload:
    """A file for the device."""

    path: str
    by: By
    content: bytes = field(repr=False)  # holds secrets

    @property
    def digest(self) -> str:
        """Hexadecimal SHA-256."""
        return hashlib.sha256(self.content).hexdigest()

    def __str__(self) -> str:
        return f"upload {len(self.content):,} bytes to {self.path} by {self.by.upper()}"


@dataclass(frozen=True)
class Plan:
    """What would be done, in the words of `inventory/platforms/procedure.py`."""

    platform: str
    way: Way
    minutes: int  # of the device's timer
    running: str = ""  # the file of a version that shows what runs
    before: bytes = field(default=b"", repr=False)  # that file now, in stable form
    target: bytes = field(default=b"", repr=False)  # that file as it shall be, in stable form
    upload: Upload | None = None
    load: tuple[Line, ...] = ()
    commit: tuple[Line, ...] = ()
    confirm: tuple[Line, ...] = ()
    save: tuple[Line, ...] = ()
    discard: tuple[Line, ...] = ()
    revert: tuple[Line, ...] = ()
    remove: tuple[Line, ...] = ()
    back_to: BackTo = "before"
    restarts: bool = False  # the line that takes effect ends the session
    holds: bool = False  # only the session that said `commit` can say `confirm`
    settles: float = 0.0  # seconds after the timer until the device can be asked again
    refusals: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()  # what a person has to do
    undone: str = ""
    not_undone: str = ""
    warnings: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()  # why it cannot be carried out

    @property
    def can_be_pushed(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.obstacles

    @property
    def commands(self) -> tuple[str, ...]:
        """What happens on the device when all goes well, in order; a person's part where it is all by hand."""
        if self.by_hand:
            return self.by_hand
        upload = (f"({self.upload})",) if self.upload else ()
        said = (*self.load, *self.commit)
        after = (*self.confirm, *self.save, *self.remove)
        look = ("(a new session reads the configuration back and compares it with the version)",)
        return (*upload, *map(str, said), *look, *map(str, after)) if said else ()

    @property
    def fingerprint(self) -> str:
        """Differs when the device, the version, the sheet or any line of the plan does."""
        lines = [self.load, self.commit, self.confirm, self.save, self.discard, self.revert, self.remove]
        told = [
            [self.platform, self.way, self.minutes, self.running, self.back_to],
            [hashlib.sha256(side).hexdigest() for side in (self.before, self.target)],
            [self.upload.path, self.upload.by, self.upload.digest] if self.upload else [],
            [[[line.text, line.expect, line.answers] for line in part] for part in lines],
            [self.by_hand, self.warnings, self.obstacles],
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def make_plan(
    platform: Platform,
    *,
    current: Files,
    target: Files,
    name: str,
    minutes: int,
    address: str = "",
    processed: Processed = AS_SAID,
) -> Plan:
    """What has to be done so that a device that shows `current` shows `target`.

    Both are what the device said, but for the files that `processed` names. `name` names what is put onto the device:
    letters, digits and `-`. `address` is where the device is reached.
    """
    if not re.fullmatch(r"[a-z0-9-]{1,40}", name):
        raise ValueError(f"{name!r} is no name that may be said to a device")
    procedure = platform.restore.procedure
    if procedure is None:
        return by_hand(platform, current, target, minutes, processed)
    lacking = tuple(missing(procedure, current, target))
    if lacking:
        return Plan(platform.slug, platform.restore.way, minutes, procedure.running, obstacles=lacking)
    way = by_lines(platform, *loadable(platform, procedure.running, current, target))
    plan = filled_in(platform, procedure, target, name, minutes, way=way)
    plan = replace(
        plan,
        before=stable(platform, current[procedure.running]),
        target=stable(platform, target[procedure.running]),
        warnings=(
            *unoriginal(processed, procedure.source, procedure.running),
            *warnings(platform, procedure, current, target, address),
            *way.warnings,
        ),
    )
    standing = (*unknown_state(processed, procedure.running), *obstacles(platform, procedure, plan, current, target))
    return replace(plan, obstacles=(*standing, *way.obstacles))


def by_hand(platform: Platform, current: Files, target: Files, minutes: int, processed: Processed) -> Plan:
    """The plan for a system to which nothing is sent: what a person does with the file."""
    file = platform.filenames[0]
    before, after = (stable(platform, files.get(file, b"")) for files in (current, target))
    told = [f"Nothing is sent to a {platform.label} from here. {platform.restore.note}"]
    told += [] if file in target else [f"The version has no {file}."]
    way = by_lines(platform, *loadable(platform, file, current, target)) if file in target else ByLines()
    return Plan(
        platform.slug,
        platform.restore.way,
        minutes,
        running=file,
        before=before,
        target=after,
        by_hand=tuple(steps_by_hand(platform, file + RAW * (file in processed.raw), way)),
        warnings=(*unoriginal(processed, file), *way.warnings),
        obstacles=(*told, *way.obstacles),
    )


def steps_by_hand(platform: Platform, file: str, way: ByLines) -> Iterator[str]:
    """What a person does with the file of the version, in order; nothing where there is no way at all."""
    if platform.restore.way == "none":
        return
    yield f"(take {file} of the version: see the page of this plan, or `show DEVICE --at VERSION --file {file}`)"
    yield from (line.format(file=file) for line in platform.restore.by_hand or [f"({platform.restore.note})"])
    if way.lines:
        yield "(or line by line, in configuration mode; look at the warnings first)"
        yield from map(str, way.lines)
    yield "(then plan again: the device is read back, and nothing may differ)"


def filled_in(
    platform: Platform, procedure: Procedure, target: Files, name: str, minutes: int, *, way: ByLines | None = None
) -> Plan:
    """The procedure with its words settled, and with the lines of its `way` where it has one."""
    words = {
        "file": f"{name}.cfg",
        "session": name,
        "minutes": str(minutes),
        "seconds": str(minutes * 60),
        "clock": f"{minutes // 60:02}:{minutes % 60:02}:00",
    }
    prelude = "".join(f"{line.format(**words, md5='', size='')}\n" for line in procedure.prelude)
    content = prelude.encode("ascii") + fit_to_load(platform, target[procedure.source])
    words["md5"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    words["size"] = str(len(content))

    def settled(lines: tuple[Line, ...]) -> tuple[Line, ...]:
        return tuple(
            each
            for line in lines
            for each in (
                (way or ByLines()).lines
                if line.text == CHANGES
                else (replace(line, text=line.text.format(**words), expect=line.expect.format(**words)),)
            )
        )

    return Plan(
        platform.slug,
        platform.restore.way,
        minutes,
        running=procedure.running,
        upload=Upload(procedure.path.format(**words), procedure.by, content) if procedure.path else None,
        load=settled(procedure.load),
        commit=settled(procedure.commit),
        confirm=settled(procedure.confirm),
        save=settled(procedure.save),
        discard=settled(procedure.discard),
        revert=settled(procedure.revert),
        remove=settled(procedure.remove),
        back_to=procedure.back_to,
        restarts=procedure.restarts,
        holds=procedure.holds,
        settles=procedure.settles,
        refusals=procedure.refusals,
        undone=procedure.undone,
        not_undone=procedure.not_undone,
    )
