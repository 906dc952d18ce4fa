"""Arista EOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.procedure import Line, Procedure
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="arista_eos",
    label="Arista EOS",
    netmiko_type="arista_eos",
    signs=(Sign(r"^Arista [A-Z]"),),
    commands=(
        Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", complete_when=r"^end\s*$", optional=True),
    ),
    restore=Restore(
        way="candidate",
        note="`configure session NAME`, `rollback clean-config`, paste the file, look at `show session-config diffs`, "
        "`commit timer 00:05:00`, then `configure session NAME commit`.",
        procedure=Procedure(
            source="running.cfg",
            path="/mnt/flash/{file}",
            by="scp",
            load=(
                Line("configure session {session}"),
                Line("rollback clean-config"),
                Line("copy flash:{file} session-config", expect="Copy completed successfully"),
            ),
            discard=(Line("abort"),),
            commit=(Line("commit timer {clock}"),),
            confirm=(Line("configure session {session} commit"),),
            save=(Line("write memory", expect="Copy completed successfully"),),
            revert=(Line("configure session {session} abort"),),
            # Some versions ask, some do not.
            remove=(Line("delete flash:{file}", answers=((r"^Delete filename", ""), (r"\[confirm\]$", ""))),),
            refusals=(r"^[ \t]*% ",),
            undone="Without confirmation the switch itself goes back to what it ran before.",
            not_undone="Keys, certificates and files on flash are not part of the text. A restart ends the timer; the "
            "switch then starts with its startup-config.",
        ),
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
        rf"(?P<keep>^[ \t]*(?:mka )?key [0-9A-Fa-f]{{1,64}} (?:0|7|8a) ){VALUE}",
        r"(?P<keep>-(?:cv|ingest)auth=key,)[^\s,]+",
        rf"(?P<keep>^[ \t]*service unsupported-transceiver \S+ ){VALUE}",
        *CISCO_SECRETS,
        # IPsec, MACsec and shared secrets
        rf"(?P<keep>^[ \t]*(?:shared-key|key [0-9A-Fa-f]+|secret \S+) [078]a? ){VALUE}",
        rf"(?P<keep>^[ \t]*vrrp \d+ peer authentication (?:text |ietf-md5 key-string (?:7 )?)?){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?Error "),
    save=("write memory",),
)
