"""Ciena SAOS 6 and 8."""

from inventory.platforms.idioms import CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="ciena_saos",
    label="Ciena SAOS 6 and 8",
    netmiko_type="ciena_saos",
    signs=(Sign(r"^SAOS is True Carrier Ethernet", GREETING),),
    commands=(
        # SAOS ends with no mark on all versions: only the prompt and the size tell that nothing is missing.
        Command(line="configuration show", filename="configuration.txt", min_bytes=200),
    ),
    restore=Restore(
        way="file",
        note="`configuration install tftp-server HOST filename FILE` (or copy it beside the others and `configuration "
        "set default-load-filename FILE`), then `chassis reboot` without saving.",
    ),
    verified="recording",
    source="the commands of a whole configuration (as published with netutils, without its comments), its head as in "
    "other published outputs; refusals and the restore from Ciena's SAOS 6 command reference, as remembered",
    patience=60.0,
    volatile=(r"^! Created(?: by)?: ", r"^! On terminal: "),
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>\b(?:secret|password|encrypted-secret|encrypted-password|pass-phrase|auth-key|psk) ){VALUE}",
        rf"(?P<keep>^snmp (?:create|set) community-index .*?\bcommunity ){VALUE}",
        rf"(?P<keep>^snmp .*?\b(?:auth|priv) (?:md5|sha|des|aes) ){VALUE}",
    ),
    refusals=(r"^[ \t]*(?:SHELL PARSER FAILURE|ERROR: |Error: |Command (?:not found|is not allowed))",),
    pager=(r"^\[more +\d+%\]",),
    save=("configuration save",),
)
