"""Hillstone StoneOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="hillstone_stoneos",
    label="Hillstone StoneOS",
    netmiko_type="hillstone_stoneos",
    signs=(Sign(r"Hillstone (?:Networks )?StoneOS|^StoneOS"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show configuration running", filename="running.cfg", fallbacks=("show configuration",)),
    ),
    restore=Restore(
        way="file",
        note="`import configuration from tftp server HOST FILE` and `reboot`.",
    ),
    verified="none",
    source="Hillstone's StoneOS CLI user guide, as remembered",
    comment="#",
    patience=60.0,
    volatile=(r"^Building configuration",),
    secrets=(
        rf"(?P<keep>^[ \t]*(?:password|pre-share|secret|shared-secret|passphrase) ){VALUE}",
        rf"(?P<keep>^[ \t]*snmp-server (?:host \S+ .{{0,200}}?|trap-host \S+ .{{0,200}}?)community ){VALUE}",
        rf"(?P<keep>^[ \t]*snmp-server user .{{0,200}}? (?:auth-pass|enc-pass) ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*\^-{2,}", r"^[ \t]*Error: "),
    pager=(r"^ *--More-- ?",),
    ansi=True,
    save=("save all",),
)
