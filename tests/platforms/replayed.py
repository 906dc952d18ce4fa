"""The table of recorded devices in `docs/platforms.md`: `python -m tests.platforms.replayed` collects them anew.

Each is collected over SSH by its platform's sheet, and held against the recording line by line. Needs the recordings
beside the project.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from backups.capture import Capture
from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.listing import DOCUMENT
from inventory.platforms.masking import MASK, mask
from inventory.platforms.sheet import Platform
from tests.backups.test_replay import SLUGS, Recording, assert_whole, collected, secrets_shown, served

BEGINS, ENDS = "<!-- recordings: begin -->\n", "<!-- recordings: end -->\n"
HEAD = ("platform", "device", "lines", "bytes", "complete and clean", "lines masked", "secrets left")


def row(recording: Recording, platform: Platform, capture: Capture) -> tuple[str, ...]:
    """One device. Raises AssertionError when it did not come back whole."""
    assert_whole(recording, platform, capture)
    texts = [content.decode("latin-1") for content in capture.files.values()]
    masked = sum(mask(platform, text).count(MASK) for text in texts)
    device = recording.file.split("#")[1].replace("_", " ")
    sizes = (f"{sum(text.count(chr(10)) for text in texts):,}", f"{sum(map(len, texts)):,}")
    left = str(len(secrets_shown(platform, capture)))
    return (platform.label, device, *sizes, "yes" if capture.good else "no", str(masked), left)


def main() -> None:
    """Collect all, and write the table."""
    sheets = read_catalogue(None)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as recordings:
        rows = [HEAD, ("---",) * len(HEAD)]
        for recording in recordings.values():
            platform = sheets.get(SLUGS[recording.model])
            rows.append(row(recording, platform, collected(recording, platform)))
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in rows)
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGINS)
    DOCUMENT.write_text(f"{before}{BEGINS}{table}{ENDS}{rest.partition(ENDS)[2]}", "utf-8")


if __name__ == "__main__":
    main()
