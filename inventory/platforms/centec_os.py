"""Centec CNOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="centec_os",
    label="Centec CNOS",
    netmiko_type="centec_os",
    signs=(Sign(r"^CNOS Software|Centec"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="Copy the file over flash:/startup-config.conf (`copy tftp://HOST/FILE flash:/startup-config.conf`) and "
        "`reboot` without saving.",
    ),
    verified="recording",
    source="an FS S5850 7.5.6, which is Centec's (as published); the restore from memory of Centec's CLI guides",
    enable=True,
    volatile=(r"^Building configuration\.\.\.", r"^Current configuration ?: \d+ bytes"),
    secrets=CISCO_SECRETS,
    refusals=CISCO_REFUSALS,
    pager=(r"^ *--More-- ?",),
    save=("write",),
)
