"""OPNsense."""

from inventory.platforms.idioms import XML_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="opnsense",
    label="OPNsense",
    netmiko_type="generic",
    signs=(Sign(r"OPNsense", GREETING),),
    commands=(
        Command(line="cat /conf/config.xml", filename="config.xml", complete_when=r"^</opnsense>\s*$", min_bytes=200),
    ),
    restore=Restore(
        way="file",
        note="Upload config.xml in System > Configuration > Backups, or put it to /conf/config.xml and reboot. It "
        "holds users, certificates and keys.",
    ),
    verified="recording",
    source="OPNsense 23.7; the restore from OPNsense's documentation. The account's login shell must be a shell: the "
    "menu of root is left by its item 8",
    comment="<!--",
    setup=("8",),
    volatile=(
        r"(?P<keep>^[ \t]*<revision>\n)(?:[^\n]*\n){1,6}?(?=[ \t]*</revision>)",
        r"(?P<keep><last_rule_upd_time>)[^<\n]*",
    ),
    secrets=XML_SECRETS,
    refusals=(r"(?:: not found|: Command not found\.?|: Permission denied|: No such file or directory)\s*$",),
    ansi=True,
)
