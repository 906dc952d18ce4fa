"""What putting a version back onto a device would do, line by line. Pure: no device, no database, no clock.

A plan is made from what the device says now and what it said then. It is shown, agreed to by its fingerprint, and then
only that plan is carried out: made again from a fresh look, it must have the same fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from backups.capture import stable
from backups.processing import RAW
from checkpoints.diff import visible
from checkpoints.plan_by_lines import ByLines, by_lines
from checkpoints.session_risks import risks
from checkpoints.settings_of import settings_of
from inventory.platforms.masking import MASK, mask, was_masked
from inventory.platforms.procedure import CHANGES, BackTo, By, Line, Procedure
from inventory.platforms.sheet import Platform, Way, compiled

Files = Mapping[str, bytes]  # of one version, by name

# What stands where a secret was: ours, and what devices and other programs write.
_TAKEN_OUT = re.compile(
    rf"{re.escape(MASK)}|\*{{3,}}|<(?:removed|redacted|hidden|masked|secret)[^>\n]{{0,40}}>|\bXXXX+\b"
)
_CERTAINLY = re.compile(rf"{re.escape(MASK)}|<(?:removed|redacted|masked)>")


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


@dataclass(frozen=True)
class Processed:
    """Files that a version does not hold as the device said them, because there was post-processing."""

    now: frozenset[str] = frozenset()  # of what the device runs: only what was made of them is kept
    then: frozenset[str] = frozenset()  # of the version: the same
    raw: frozenset[str] = frozenset()  # of the version: the original is kept as NAME.raw, and is what is put back


AS_SAID = Processed()


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
        by_hand=(
            *(line.format(file=file + RAW * (file in processed.raw)) for line in platform.restore.by_hand),
            *map(str, way.lines),
        ),
        warnings=(*unoriginal(processed, file), *way.warnings),
        obstacles=(*told, *way.obstacles),
    )


def loadable(platform: Platform, file: str, *versions: Files) -> Iterator[str]:
    """The file of each version as text, without what the device only prints."""
    return (fit_to_load(platform, files.get(file, b"")).decode("latin-1") for files in versions)


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


def fit_to_load(platform: Platform, content: bytes) -> bytes:
    """The text without what the device only prints: it would be refused as a line, or set a clock's old drift.

    Only whole lines go; a value is never touched.
    """
    volatile = platform.volatile_lines
    lines = [line for line in content.split(b"\n") if not (volatile and volatile.search(line))]
    return b"\n".join(lines).strip(b"\n") + b"\n"


# What stands in the way


def missing(procedure: Procedure, current: Files, target: Files) -> Iterator[str]:
    """Files without which there is nothing to plan."""
    for name in dict.fromkeys((procedure.source, procedure.running)):
        if name not in target:
            yield f"The version has no {name}, from which this system is restored."
    if procedure.running not in current:
        yield f"The device gave no {procedure.running}, so there is nothing to compare with."


def obstacles(platform: Platform, procedure: Procedure, plan: Plan, current: Files, target: Files) -> Iterator[str]:
    """Why the plan must not be carried out."""
    if plan.before == plan.target:
        yield "The device already runs this version: there is nothing to put back."
    if was_masked(current[procedure.running]):
        yield (
            "What the device runs now was stored with its secrets masked, so nobody could tell whether a change was "
            "undone: have secrets stored (`tenant set NAME --secrets keep`), then plan again."
        )
    masked = masked_lines(platform, target[procedure.source])
    if masked:
        numbers = ", ".join(map(str, masked[:5])) + (f" and {len(masked) - 5} more" if len(masked) > 5 else "")
        yield f"Secrets of the version are masked (line {numbers} of {procedure.source}): it cannot be put back."
    withheld = platform.withheld_pattern
    if withheld and withheld.search(target[procedure.source]):
        yield "The device withheld parts of the version when it was collected: it cannot be put back."
    if not says_the_same(procedure, target):
        yield (
            f"The version's {procedure.source} is not what its {procedure.running} shows to have run: there were "
            "changes that nobody had saved. Choose another version."
        )
    if procedure.back_to == "saved" and not says_the_same(procedure, current):
        yield (
            "The device goes back by starting with what is saved, and what runs now is not saved. Save it on the "
            "device, then plan again."
        )


def unknown_state(processed: Processed, running: str) -> Iterator[str]:
    """Why nothing may be pushed where only the processed text is known of what runs: it is what is read back."""
    if running in processed.now:
        yield (
            "What the device runs now was stored as post-processing made it, without the original, so nobody could "
            "tell whether a change was undone: let the post-processing of this platform keep the raw capture too, "
            "then plan again."
        )


def says_the_same(procedure: Procedure, files: Files) -> bool:
    """Whether the file that is loaded and the file that shows what runs hold the same settings."""
    if procedure.source == procedure.running:
        return True
    if procedure.source not in files:
        return False
    return settings_of(files[procedure.source]) == settings_of(files[procedure.running])


def masked_lines(platform: Platform, content: bytes) -> list[int]:
    """Numbers of the lines in which a secret was taken out.

    Asterisks are also how people draw banners: those count only where a secret is to be expected.
    """
    text = content.decode("latin-1")
    if not _TAKEN_OUT.search(text):
        return []
    lines, hidden = text.split("\n"), mask(platform, text).split("\n")
    return [
        number
        for number, (line, masked) in enumerate(zip(lines, hidden, strict=True), 1)
        if _CERTAINLY.search(line) or (line != masked and _TAKEN_OUT.search(line))
    ]


# What to look at before agreeing


def unoriginal(processed: Processed, *files: str) -> Iterator[str]:
    """That what is put back is not what the device said."""
    for name in dict.fromkeys(files):
        if name in processed.then:
            yield (
                f"Post-processing changed the version's {name}, and the original was not kept: what is put back is the "
                "processed text. The device may refuse it, or show something else afterwards; then it goes back."
            )


def warnings(platform: Platform, procedure: Procedure, current: Files, target: Files, address: str) -> Iterator[str]:
    """What could cut the session, and what the device lacks for the way back; without a secret."""
    now, then = loadable(platform, procedure.running, current, target)
    for what, lines in risks(now, then, address=address, hide=lambda text: mask(platform, text)):
        yield visible(f"{what}: {'; '.join(lines)}".encode("latin-1"))
    yield from hidden_changes(platform, now, then)
    yield from left_alone(platform, procedure, current, target)
    for pattern, mend in procedure.needs:
        if not compiled(pattern).search(current[procedure.running]):
            yield mend


def left_alone(platform: Platform, procedure: Procedure, current: Files, target: Files) -> Iterator[str]:
    """Files that differ and that this way does not put back."""
    others = {file.filename for file in platform.files} - {procedure.source, procedure.running}
    differ = [name for name in sorted(others) if name in target and target[name] != current.get(name)]
    if differ:
        yield f"Also different, and not put back: {', '.join(differ)}."


def hidden_changes(platform: Platform, now: str, then: str) -> Iterator[str]:
    """Changes that a masked difference does not show."""
    if now != then and mask(platform, now) == mask(platform, then):
        yield "Only secrets differ; the difference shows them to those who may see secrets."
