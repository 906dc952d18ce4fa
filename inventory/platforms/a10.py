"""A10 ACOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="a10",
    label="A10 ACOS",
    netmiko_type="a10",
    signs=(Sign(r"Advanced Core OS|^Thunder Series|A10 Networks"),),
    commands=(
        Command(
            line="show running-config all-partitions",
            filename="running.cfg",
            complete_when=r"^(?:end|!Current config commit point .*)\s*$",
            fallbacks=("show running-config",),
            min_bytes=100,
        ),
        Command(
            line="show startup-config all-partitions",
            filename="startup.cfg",
            complete_when=r"^(?:end|!Current config commit point .*)\s*$",
            fallbacks=("show startup-config",),
            optional=True,
        ),
    ),
    restore=Restore(
        way="file",
        note="The whole device goes back with its own `backup system` and `restore`. The text: `copy "
        "scp://USER@HOST/FILE startup-config`, then `reload` without saving. Certificates and keys are not part "
        "of it.",
    ),
    verified="recording",
    source="ACOS 5.2.0 (as published); partitions and the restore from A10's command line reference, as remembered",
    enable=True,
    patience=60.0,
    volatile=(
        r"^!Current configuration: \d+ bytes",
        r"^!Configuration last (?:updated|saved) at ",
        r"^!Current config commit point ",
    ),
    secrets=(
        rf"(?P<keep>^[ \t]+community read (?:encrypted )?){VALUE}",
        rf"(?P<keep>^snmp-server community (?:read|write) ){VALUE}",
        *CISCO_SECRETS,
        rf"(?P<keep>\b(?:password|secret|secret-string|passphrase|authentication-key|key) encrypted ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Invalid input|% ?Unrecognized)"),
    save=("write memory",),
)
