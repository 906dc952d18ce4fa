"""Cisco Secure Firewall (FTD)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="cisco_ftd",
    label="Cisco Secure Firewall (FTD)",
    netmiko_type="cisco_ftd",
    signs=(Sign(r"^Model +: Cisco .{0,60}Threat Defense"),),
    commands=(
        Command(
            line="show running-config all",
            filename="running.cfg",
            complete_when=r"^: end\s*$",
            fallbacks=("show running-config",),
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="none",
        note="The manager (FMC, FDM or CDO) owns the configuration and writes it anew: restore the manager's own "
        "backup. The text is for reading and for comparing; its keys are asterisks.",
    ),
    verified="recording",
    source="FTD 7.4 on a Firepower 1010; the rest from Cisco's documentation",
    comment=":",
    patience=60.0,
    volatile=(r"^: Saved\s*$", r"^: Written by ", r"^Cryptochecksum:"),
    secrets=(*CISCO_SECRETS, rf"(?P<keep>^snmp-server host \S+ \S+ (?:(?:poll|trap) )?community {TYPE}){VALUE}"),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:ERROR: |Syntax error: )"),
    # The prompt `>` knows no `terminal pager`, which is the diagnostic command line's.
    pager=(r"^<--- More --->",),
)
