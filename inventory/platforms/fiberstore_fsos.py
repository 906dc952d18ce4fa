"""FS (Fiberstore) FSOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="fiberstore_fsos",
    label="FS (Fiberstore) FSOS",
    netmiko_type="fiberstore_fsos",
    signs=(Sign(r"^(?:FSOS|Fiberstore Co)"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
        Command(line="show startup-config", filename="startup.cfg", optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE startup-config` (or copy it over flash:/startup-config.conf) and `reboot` without "
        "saving.",
    ),
    verified="none",
    source="from memory of FS' CLI references for the S3900 and S5800 series",
    enable=True,
    volatile=(r"^Building configuration\.\.\.", r"^Current configuration ?: \d+ bytes"),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp-server community )(?:\d )?{VALUE}",  # what is encrypted is told by a number
        *CISCO_SECRETS,
    ),
    refusals=CISCO_REFUSALS,
    pager=(r"^ *--More-- ?",),
    ansi=True,
    save=("copy running-config startup-config",),
)
