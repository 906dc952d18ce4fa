"""Check Point Gaia."""

from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="checkpoint_gaia",
    label="Check Point Gaia",
    netmiko_type="checkpoint_gaia",
    signs=(
        Sign(r"^Product version Check Point Gaia", "show version all"),
        Sign(r"^CLINFR\d{4} ", sure=False),
    ),
    commands=(
        # Gaia ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(
            line="show configuration",
            filename="gaia.conf",
            fallbacks=('clish -c "show configuration"',),  # for an account whose shell is bash
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="merge",
        note="Copy the file to the gateway, `load configuration FILE`, `save config`; remove by hand what is too much. "
        "The security policy is the management server's and not part of it.",
    ),
    verified="recording",
    source="a gateway's configuration (as published, without its head); the head from other tools' tests, the restore "
    "from Check Point's Gaia administration guide, as remembered",
    comment="#",
    patience=60.0,
    volatile=(r"^# Exported by ",),
    secrets=(
        r"(?P<keep>^set (?:user \S+ password-hash|expert-password-hash|grub2-password-hash) )\S+",
        r"(?P<keep>^(?:set|add) snmp community )\S+",
        r"(?P<keep>\b(?:auth|privacy)-pass-?phrase(?:-hashed)? )\S+",
        r"(?P<keep>^(?:set|add) (?:aaa|bgp|ospf|rip|as|ipv6) .{0,200} (?:key|secret|password|sharedsecret) )\S+",
        r"(?P<keep>^(?:set|add) pppoe .{0,200} password )\S+",
    ),
    # Somebody else has the configuration open: said in front of an answer, which is whole nevertheless.
    frame=(r"^CLINFR0771 +Config lock is owned by ",),
    refusals=(
        r"^[ \t]*(?:CLINFR(?!0771)\d+ |NMS\d+ |Incomplete command|Invalid command|Bad parameter starting at |-?bash: )",
    ),
    save=("save config",),
)
