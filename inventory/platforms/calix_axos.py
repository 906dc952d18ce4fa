"""Calix AXOS (E3-2, E7-2, E9-2)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="calix_axos",
    label="Calix AXOS",
    netmiko_type="generic",
    signs=(Sign(r"^ ?(?:software|release)[ -]version +\S*AXOS|^AXOS ", sure=False),),
    commands=(
        # AXOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(
            line="show running-config | nomore",
            filename="running.cfg",
            fallbacks=("show running-config",),
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="merge",
        note="Paste the lines in `configure`; remove by hand what is too much. A whole shelf goes back with its own "
        "`copy config from FILE` and a reload.",
    ),
    verified="none",
    source="the command as Oxidized asks it; the rest from memory",
    secrets=(
        r"(?P<keep>^[ \t]+community )\S+",
        r"(?P<keep>\btrap-host \S+ )(?!v3 )\S+",
        rf"(?P<keep>^ *(?:password|shared-secret|encrypted-password|auth-key|priv-key|key) ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:syntax error|Aborted|Error: )"),
    ansi=True,
    save=("copy running-config startup-config",),
)
