"""Eltex MES switches."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="eltex",
    label="Eltex MES switches",
    netmiko_type="eltex",
    signs=(Sign(r"^ ?Active-image: flash://system/images/mes\d"),),
    commands=(
        # MES ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
        Command(line="show startup-config", filename="startup.cfg", optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE startup-config` and `reload`. Copied to running-config it only adds.",
    ),
    verified="recording",
    source="whole answers of a MES2424 with 10.3 and a MES2408PL with 10.4 (as published); the MES23xx, MES33xx and "
    "MES53xx, encrypted lines and the restore from Eltex's operation manual, as remembered",
    enable=True,
    # The MES14xx, 24xx and 37xx; the others say no, and know what netmiko has said before.
    setup=("set cli pagination off",),
    secrets=(
        rf"(?P<keep>^(?:encrypted )?snmp-server community (?:encrypted )?){VALUE}",
        rf"(?P<keep>^encrypted (?:radius|tacacs)-server .{{0,200}}?key {TYPE}){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=CISCO_REFUSALS,
    pager=(r"^More: <space>,  Quit: q(?: or CTRL\+Z)?, One line: <(?:return|CR)> ?", r"^ *--More-- ?"),
    ansi=True,
    save=("copy running-config startup-config",),
)
