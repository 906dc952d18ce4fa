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
    verified="none",
    source="Eltex's ESR CLI reference, as remembered; the header's lines not checked",
    comment="#",
    volatile=(r"^#\d\d/\d\d/\d{4}\s*$", r"^#\d\d:\d\d:\d\d\s*$"),
    secrets=(
        rf"(?P<keep>^[ \t]+community (?:encrypted )?){VALUE}",
        rf"(?P<keep>\b(?:ascii-text|hexadecimal) (?:encrypted )?){VALUE}",
        rf"(?P<keep>^[ \t]*snmp-server community (?:encrypted )?){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Syntax error: |Illegal command line|Unknown command)"),
    pager=(r"^More\? Enter - next line; Space - next page; Q - quit; R - show the rest\.?",),
    ansi=True,
    save=("commit", "confirm"),
)
