"""Eltex ESR routers."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="eltex_esr",
    label="Eltex ESR routers",
    netmiko_type="eltex_esr",
    signs=(Sign(r"^Boot version:\n|^ESR-\d"),),
    commands=(
        # ESR ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
    ),
    restore=Restore(
        way="candidate",
        note="`copy tftp://HOST:/FILE system:candidate-config`, look at `show candidate-config`, `commit`, `confirm`: "
        "the router goes back by itself unless confirmed in time (`system config-confirm timeout`).",
    ),
    verified="recording",
    source="the whole configuration of a WLC-30, which is an ESR with a controller, with 1.39, and the heads of 1.30 "
    "and 1.36 (as published); the pager, refusals and the restore from Eltex's ESR CLI reference, as remembered",
    comment="#",
    volatile=(r"^#(?:\d\d/\d\d/\d{4}|\d{4}-\d\d-\d\d)\s*$", r"^#\d\d:\d\d:\d\d\s*$"),
    secrets=(
        rf"(?P<keep>^[ \t]+community (?:encrypted )?){VALUE}",
        # not of an option of DHCP: `suboption 12 ascii-text`
        rf"(?P<keep>(?<!option \d )(?<!option \d\d )(?<!option \d{{3}} )\b(?:ascii-text|hexadecimal) (?:encrypted )?)"
        rf"{VALUE}",
        rf"(?P<keep>^[ \t]*snmp-server community (?:encrypted )?){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Syntax error: |Illegal command line|Unknown command)"),
    pager=(r"^More\? Enter - next line; Space - next page; Q - quit; R - show the rest\.?",),
    ansi=True,
    save=("commit", "confirm"),
)
