"""Telco Systems BiNOS and BiNOX."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="telcosystems_binos",
    label="Telco Systems BiNOS and BiNOX",
    netmiko_type="telcosystems_binos",
    signs=(Sign(r"BiNOX|BiNOS"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
    ),
    restore=Restore(
        way="merge",
        note="In configuration mode, paste the lines that are missing, remove by hand what is too much, then `write "
        "startup-config`.",
    ),
    verified="none",
    source="from memory",
    enable=True,
    secrets=CISCO_SECRETS,
    refusals=CISCO_REFUSALS,
    pager=(r"^ *--More-- ?",),
    ansi=True,
    save=("write startup-config",),
)
