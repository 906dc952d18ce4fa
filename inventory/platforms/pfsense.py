"""pfSense."""

from inventory.platforms.idioms import XML_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="pfsense",
    label="pfSense",
    netmiko_type="generic",
    signs=(Sign(r"pfSense", GREETING),),
    commands=(
        Command(
            line="cat /cf/conf/config.xml",
            filename="config.xml",
            complete_when=r"^</pfsense>\s*$",
            fallbacks=("cat /conf/config.xml",),
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="file",
        note="Upload config.xml in Diagnostics > Backup & Restore, or put it to /cf/conf/config.xml, remove "
        "/tmp/config.cache and reboot. It holds users, certificates and keys.",
    ),
    verified="recording",
    source="pfSense CE 2.7; the restore from Netgate's documentation. The menu that the user admin gets is left by its "
    "item 8; any other user needs the privilege `User - System: Shell account access`",
    comment="<!--",
    setup=("8",),
    volatile=(
        r"(?P<keep>^[ \t]*<revision>\n)(?:[^\n]*\n){1,6}?(?=[ \t]*</revision>)",
        r"(?P<keep><(?:lastchange|last_rule_upd_time)>)[^<\n]*",
    ),
    secrets=XML_SECRETS,
    refusals=(r"(?:: not found|: Command not found\.?|: Permission denied|: No such file or directory)\s*$",),
    ansi=True,
)
