"""Extreme VOSS (Fabric Engine)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="extreme_vsp",
    label="Extreme VOSS (Fabric Engine)",
    netmiko_type="extreme_vsp",
    signs=(Sign(r"^System Software Info", "show sys software"),),
    commands=(
        # VOSS ends with no mark on all versions: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=200),
    ),
    restore=Restore(
        way="file",
        note="Copy the file to /intflash/NAME.cfg and `boot config /intflash/NAME.cfg`; `source NAME.cfg` runs it now "
        "and only adds. Passwords are kept apart, and are not part of the text.",
    ),
    verified="recording",
    source="a VSP 8404C with 8.10.1 (its beginning and one section, as published); the end and the restore from "
    "Extreme's VOSS configuration guides, as remembered",
    comment="#",
    enable=True,
    patience=60.0,
    volatile=(
        r"^# (?i:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Za-z]{3} \d",
        r"^#[ \t]+OperStatus[ \t]*:",  # of a card
    ),
    frame=(r"^\*{40,}\s*$", r"^[ \t]*Command Execution Time: ", r"^Preparing to Display Configuration"),
    secrets=(
        rf"(?P<keep>^[ \t]*neighbor password \S+ ){VALUE}",
        rf"(?P<keep>^(?:cli|web-server) password (?:(?:switch|stack|serial|telnet) )?"
        rf"(?:read-only|read-write|rwa|rw|ro) ){VALUE}",
        *CISCO_SECRETS,
        rf"(?P<keep>^(?:radius|tacacs) server .*?\bkey {TYPE}){VALUE}",
        rf"(?P<keep>^snmp-server community )(?!\S+ (?:index|group)){VALUE}",
        rf"(?P<keep>\b(?:message-digest-key \d+ md5|isis hello-auth type \S+ key) ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Error: |\^?\s?% )"),
    ansi=True,
    save=("save config",),
)
