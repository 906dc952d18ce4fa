"""Cisco IOS and IOS-XE."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.procedure import Line, Procedure
from inventory.platforms.sheet import Command, Platform, Restore, Worded
from inventory.platforms.signs import SSH, Sign

PLATFORM = Platform(
    slug="cisco_ios",
    label="Cisco IOS and IOS-XE",
    netmiko_type="cisco_ios",
    signs=(
        Sign(r"Cisco IOS(?:-XE)? Software|Cisco Internetwork Operating System Software|^Cisco IOS XE Software"),
        Sign(r"^Cisco-", SSH, sure=False),
    ),
    commands=(
        # An account below privilege 15 is answered with the few lines that it may change, and an "end".
        Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=200),
        # A device that never saved has none, and many accounts may not read it: the running one counts without it.
        Command(line="show startup-config", filename="startup.cfg", complete_when=r"^end\s*$", optional=True),
    ),
    restore=Restore(
        way="replace",
        note="Copy the file to flash: and `configure replace flash:FILE force time 5`, then `configure confirm`; "
        "needs `archive` set up. Certificates and keys are not part of the text.",
        procedure=Procedure(
            source="running.cfg",
            path="flash:/{file}",
            by="scp",  # IOS has no SFTP server; `ip scp server enable`
            # A file that did not arrive whole would remove everything that is missing in it.
            load=(Line("verify /md5 flash:{file}", expect="{md5}"),),
            commit=(Line("configure replace flash:{file} force time {minutes}", expect="Rollback Done"),),
            confirm=(Line("configure confirm"),),
            # The question: another release has written the startup-config.
            save=(Line("write memory", expect="[OK]", answers=((r"\[confirm\]$", ""),)),),
            revert=(Line("configure revert now", expect="Rollback Done"),),
            remove=(Line("delete /force flash:{file}"),),
            refusals=(r"^[ \t]*Rollback aborted", r"^[ \t]*% ?Error", r"^%No Rollback Confirmed Change pending"),
            needs=(
                (r"^ip scp server enable", "Set `ip scp server enable`, or the device does not take the file."),
                (
                    r"^archive\n(?: .{0,200}\n){0,20}? path ",
                    "Set a `path` below `archive`, or the device has no timer.",
                ),
            ),
            undone="Without confirmation the device itself replaces the new configuration by the one from before.",
            not_undone="Keys, certificates' private parts and SNMPv3 users are not part of the text: what the device "
            "has of them stays as it is, and what it lacks does not come back. A reload ends the timer; the device "
            "then starts with its startup-config.",
        ),
    ),
    verified="recording",
    source="IOS-XE 17.9 on a Catalyst 9200L; startup-config and the restore from Cisco's manuals",
    enable=True,
    patience=60.0,  # a stack with thousands of lines says nothing while "Building configuration..."
    volatile=(
        r"^Building configuration\.\.\.",
        r"^Current configuration : \d+ bytes",
        r"^Using \d+ out of \d+ bytes",
        r"^! Last configuration change at ",
        r"^! No configuration change since last restart",
        r"^! NVRAM config last updated at ",
        r"^ntp clock-period \d+",  # the clock's drift, written by the system itself
    ),
    secrets=(
        Worded(("session-key",), r"(?P<keep>^[ \t]*set session-key (?:in|out)bound (?:ah|esp) \d+ (?:cipher )?)\S.*$"),
        Worded(("encryption",), rf"(?P<keep>^[ \t]*encryption key \d+ size \S+ (?:type )?{TYPE}){VALUE}"),
        Worded(("pre-shared-key",), rf"(?P<keep>\bpre-shared-key hostname \S+ key {TYPE}){VALUE}"),
        *CISCO_SECRETS,
        # A password in clear may hold blanks: all the rest of its line.
        Worded(
            ("password",),
            r"(?P<keep>\bpassword (?:level \d+ )?(?:0 )?)"
            r"(?![1-9] |(?:is|was) (?:not|set|required|needed|in|stored|expired|empty)\b"
            r"|encryption\b|policy\b|keyboard\b)\S.*$",
        ),
        Worded(("ppp",), rf"(?P<keep>^[ \t]*ppp (?:chap password|pap sent-username \S+ password) {TYPE}){VALUE}"),
        Worded(("mgmtuser",), rf"(?P<keep>^[ \t]*(?:mgmtuser username \S+ password \d secret) {TYPE}){VALUE}"),
    ),
    refusals=(
        *CISCO_REFUSALS,
        r"^[ \t]*(?:%% ?)?Non-volatile configuration memory (?:is not present|invalid or not present)",
        r"^[ \t]*startup-config is not present",
        r"^[ \t]*% ?Type .* for a list of",
    ),
    save=("write memory",),
)
