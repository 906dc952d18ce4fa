"""Arris CER and E6000."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore

PLATFORM = Platform(
    slug="arris_cer",
    label="Arris CER and E6000",
    netmiko_type="arris_cer",
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
    ),
    restore=Restore(
        way="merge",
        note="Paste the lines that are missing in `configure`, remove by hand what is too much, then `write memory`.",
    ),
    verified="none",
    source="from memory",
    enable=True,
    patience=60.0,
    secrets=(
        rf"(?P<keep>\bencrypted-password {TYPE}){VALUE}",
        rf"(?P<keep>\b(?:cable authstring|authentication-key) ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:configure )?snmp-server community ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:configure )?(?:tacacs|radius)-server .{{0,200}}? key {TYPE}){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=CISCO_REFUSALS,
    save=("write memory",),
)
