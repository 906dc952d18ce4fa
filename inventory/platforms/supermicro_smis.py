"""Supermicro SMIS switches."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="supermicro_smis",
    label="Supermicro SMIS switches",
    netmiko_type="supermicro_smis",
    signs=(Sign(r"^ *Switch +ID +Hardware Version"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
        Command(line="show startup-config", filename="startup.cfg", optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE startup-config` and `reload` without saving.",
    ),
    verified="none",
    source="Supermicro's switch configuration user's guides, as remembered",
    enable=True,
    volatile=(r"^Building configuration\.\.\.",),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp community index \S+ name ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=CISCO_REFUSALS,
    pager=(r"^ *--More-- ?",),
    save=("write startup-config",),
)
