"""Ciena SAOS 10."""

from inventory.platforms.idioms import CISCO_REFUSALS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="ciena_saos10",
    label="Ciena SAOS 10",
    netmiko_type="ciena_saos10",
    signs=(
        Sign(r"^SAOS 10 - Service Aware", GREETING),
        Sign(r"^\|? ?(?:Running )?Package[^\n]{0,40}saos-10|saos-10-", "show software"),
    ),
    commands=(
        # SAOS 10 ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running config", filename="running.cfg", fallbacks=("show running-config",), min_bytes=100),
    ),
    restore=Restore(
        way="merge",
        note="In `config`, paste the lines that are missing; remove by hand what is too much, then `exit`. SAOS 10 "
        "saves by itself.",
    ),
    verified="recording",
    source="SAOS 10.9 on a 5171; the restore from memory",
    comment="!",
    patience=60.0,
    volatile=(r"^! Created(?: by)?: ", r"^! On terminal: "),
    secrets=(
        r"(?P<keep>\b(?:\S{0,40}password(?:-hashed)?|secret-key|secret-key-hashed|auth-key|encryption-key|community(?:-string)?"
        r"|text-name|pre-shared-key|key-string) )(?:\"[^\"\n]*\"|[^\s\"]+)",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Error: |error: |syntax error|unknown element|Command is not found)"),
)
