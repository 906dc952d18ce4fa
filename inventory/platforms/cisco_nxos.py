"""Cisco NX-OS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.procedure import Line, Procedure
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="cisco_nxos",
    label="Cisco NX-OS",
    netmiko_type="cisco_nxos",
    signs=(Sign(r"Cisco Nexus Operating System|^NXOS: version|^ +(?:kickstart|system): +version \d"),),
    commands=(
        # NX-OS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="replace",
        note="Copy the file to bootflash: and `configure replace bootflash:FILE commit-timeout 300`, then `configure "
        "replace commit`; the switch rolls back by itself when an error or the time-out comes first.",
        procedure=Procedure(
            source="running.cfg",
            path="bootflash:/{file}",
            by="scp",  # `feature scp-server`
            # The checkpoint is for a person at the console: `rollback running-config checkpoint NAME atomic`.
            load=(Line("show file bootflash:{file} md5sum", expect="{md5}"), Line("checkpoint {session}")),
            commit=(Line("configure replace bootflash:{file} commit-timeout {seconds}", expect="Configure replace"),),
            confirm=(Line("configure replace commit"),),
            save=(Line("copy running-config startup-config", expect="Copy complete"),),
            remove=(Line("delete bootflash:{file} no-prompt"), Line("no checkpoint {session}")),
            settles=60.0,
            refusals=(
                r"^[ \t]*(?:ERROR|Error|Syntax error)\b",
                r"Configure replace (?:has )?failed",
                r"^Rolling back to",
            ),
            needs=((r"^feature scp-server", "Set `feature scp-server`, or the switch does not take the file."),),
            undone="Without `configure replace commit` the switch itself goes back to the configuration from before; "
            "also at once, when it cannot carry out a line.",
            not_undone="Keys, certificates and what needs a reload. A reload ends the timer; the switch then starts "
            "with its startup-config. Nexus 5000 and older have no `configure replace`: nothing changes on them.",
        ),
    ),
    verified="recording",
    source="NX-OS 7.3 on a Nexus 5548; startup-config and the restore (9.3 and later) from Cisco's configuration "
    "guides, tried against a simulated switch only",
    patience=60.0,
    volatile=(
        r"^!Time: ",
        r"^!Running configuration last done at: ",
        r"^!Startup config saved at: ",
        r"^!No configuration change since last restart",
    ),
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*(?:feature-)?vpc\b.* key {TYPE}){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*No startup configuration"),
    save=("copy running-config startup-config",),
)
