"""Riverbed RiOS (SteelHead)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="riverbed_rios",
    label="Riverbed RiOS (SteelHead)",
    netmiko_type="generic",
    signs=(Sign(r"^Product name: +(?:rbt_|RiOS|SteelHead)"),),
    commands=(
        # RiOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
    ),
    restore=Restore(
        way="merge",
        note="In `configure terminal`, paste the lines that are missing, remove by hand what is too much, `write "
        "memory`. Whole configurations of its own it fetches with `configuration fetch` and takes with "
        "`configuration switch-to`; they are no text.",
    ),
    verified="none",
    source="Riverbed's command-line interface reference manual, as remembered; the sections' headings not checked",
    enable=True,
    setup=("enable", "no cli session paging enable"),  # netmiko's generic driver does neither
    patience=60.0,
    comment="##",
    secrets=(
        rf"(?P<keep>^[ \t]*secure-vault (?:unlock|new-password) ){VALUE}",
        rf"(?P<keep>\buser-cred \S+ )(?!password ){VALUE}",
        rf"(?P<keep>^[ \t]*username \S+ password \d ){VALUE}",
        rf"(?P<keep>^[ \t]*snmp-server user .{{0,200}}? encrypted ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?(?:Unrecognized|Insufficient)"),
    pager=(r"^lines \d+-\d+ ?",),
    ansi=True,
    save=("write memory",),
)
