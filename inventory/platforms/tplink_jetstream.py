"""TP-Link JetStream and DeltaStream."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="tplink_jetstream",
    label="TP-Link JetStream and DeltaStream",
    netmiko_type="tplink_jetstream",
    signs=(
        Sign(r"^ ?System Description +- .*(?:JetStream|Switch)", "show system-info"),
        Sign(r"^ *Error: Bad command", sure=False),
    ),
    commands=(
        Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", complete_when=r"^end\s*$", optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp startup-config ip-address HOST filename FILE` (the switch restarts with it), or restore it in "
        "the web pages.",
    ),
    verified="recording",
    source="a DS-P7001-08 with 1.0.0; startup-config and the restore from TP-Link's JetStream CLI guide",
    comment="#",
    secrets=(*CISCO_SECRETS, rf"(?P<keep>^snmp-server (?:community|user \S+ .*?\b(?:cmode|emode) \S+ \S+pwd) ){VALUE}"),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Error: |Invalid parameter)"),
    pager=(r"^Press any key to continue \(Q to quit\)",),
    save=("copy running-config startup-config",),
)
