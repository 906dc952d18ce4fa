"""FRRouting behind vtysh as login shell."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="frr",
    label="FRRouting behind vtysh as login shell",
    netmiko_type="cisco_ios",
    signs=(
        Sign(r"^FRRouting \d"),
        Sign(r"^Hello, this is FRRouting", GREETING),
    ),
    commands=(Command(line="show running-config", filename="frr.conf", complete_when=r"^end\s*$", min_bytes=60),),
    restore=Restore(
        way="file",
        note="Put the file in the place of /etc/frr/frr.conf and run `frr-reload.py --reload /etc/frr/frr.conf`, which "
        "works out the difference.",
    ),
    verified="manual",
    source="FRRouting's documentation; the same answer as in `linux`, whose sheet was held against FRRouting 8.4",
    volatile=(r"^Building configuration\.\.\.",),
    secrets=CISCO_SECRETS,
    refusals=CISCO_REFUSALS,
    pager=(r"^--More--",),
    ansi=True,
    save=("write memory",),
)
