"""Perle IDS industrial switches."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="perle_ids",
    label="Perle IDS switches",
    netmiko_type="cisco_ios",
    signs=(Sign(r"^(?:Perle IDS|IDS-\d{3})"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE startup-config` and `reload` without saving.",
    ),
    verified="none",
    source="the command as Oxidized asks it; the rest from memory of Perle's manuals, whose command line is like IOS",
    enable=True,
    volatile=(r"^Building configuration\.\.\.", r"^Current configuration ?: \d+ bytes"),
    secrets=CISCO_SECRETS,
    refusals=CISCO_REFUSALS,
    pager=(r"^ *--More-- ?",),
    save=("copy running-config startup-config",),
)
