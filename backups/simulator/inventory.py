"""The devices of a fleet as a CSV file that `devices import` reads."""

from __future__ import annotations

import csv
from pathlib import Path

from backups.simulator.fleet import Fleet

COLUMNS = ("name", "address", "port", "platform", "credential")
CREDENTIAL = "simulated"


def write_inventory(fleet: Fleet, path: Path, *, credential: str = CREDENTIAL) -> None:
    """Write one row for each device; all use the named credential. Raises OSError."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((each.name, each.address, each.port, each.platform, credential) for each in fleet)
