"""What stands in the way of a plan, and what to look at before agreeing to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checkpoints.diff import visible
from checkpoints.session_risks import risks
from checkpoints.settings_of import settings_of
from inventory.platforms.masking import MASK, mask, was_masked
from inventory.platforms.procedure import Procedure
from inventory.platforms.sheet import Platform, compiled

if TYPE_CHECKING:
    from checkpoints.plan import Plan

Files = Mapping[str, bytes]  # of one version, by name

# What stands where a secret was: ours, and what devices and other programs write.
_TAKEN_OUT = re.compile(
    rf"{re.escape(MASK)}|\*{{3,}}|<(?:removed|redacted|hidden|masked|secret)[^>\n]{{0,40}}>|\bXXXX+\b"
)
_CERTAINLY = re.compile(rf"{re.escape(MASK)}|<(?:removed|redacted|masked)>")


@dataclass(frozen=True)
class Processed:
    """Files that a version does not hold as the device said them, because there was post-processing."""

    now: frozenset[str] = frozenset()  # of what the device runs: only what was made of them is kept
    then: frozenset[str] = frozenset()  # of the version: the same
    raw: frozenset[str] = frozenset()  # of the version: the original is kept as NAME.raw, and is what is put back
    brought: str = ""  # who brought the version's files, and when: no device has said them


AS_SAID = Processed()


def fit_to_load(platform: Platform, content: bytes) -> bytes:
    """The text without what the device only prints: it would be refused as a line, or set a clock's old drift.

    Only whole lines go; a value is never touched.
    """
    volatile = platform.volatile_lines
    lines = [line for line in content.split(b"\n") if not (volatile and volatile.search(line))]
    return b"\n".join(lines).strip(b"\n") + b"\n"


def loadable(platform: Platform, file: str, *versions: Files) -> Iterator[str]:
    """The file of each version as text, without what the device only prints."""
    return (fit_to_load(platform, files.get(file, b"")).decode("latin-1") for files in versions)


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
    if processed.brought:
        yield (
            f"The version was uploaded by {processed.brought}, and not captured from the device. It may refuse it, or "
            "show something else afterwards; then it goes back."
        )
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
