"""Arista EOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore

PLATFORM = Platform(
    slug="arista_eos",
    label="Arista EOS",
    netmiko_type="arista_eos",
    commands=(
        Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", complete_when=r"^end\s*$", optional=True),
    ),
    restore=Restore(
        way="candidate",
        note="`configure session NAME`, `rollback clean-config`, paste the file, look at `show session-config diffs`, "
        "`commit timer 00:05:00`, then `configure session NAME commit`.",
    ),
    verified="recording",
    source="EOS 4.29 on a DCS-7050SX3; startup-config and the restore from Arista's user manual",
    enable=True,
    volatile=(
        r"^! Command: ",
        r"^! Time: ",
        r"^! Startup-config last modified at ",
    ),
    secrets=(
        *CISCO_SECRETS,
        # IPsec, MACsec and shared secrets
        rf"(?P<keep>^[ \t]*(?:shared-key|key [0-9A-Fa-f]+|secret \S+) [078]a? ){VALUE}",
        rf"(?P<keep>^[ \t]*vrrp \d+ peer authentication (?:text |ietf-md5 key-string (?:7 )?)?){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?Error "),
    save=("write memory",),
)
