"""Cisco IOS-XR."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.procedure import Line, Procedure
from inventory.platforms.sheet import Command, Platform, Restore, Section
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="cisco_xr",
    label="Cisco IOS-XR",
    netmiko_type="cisco_xr",
    signs=(Sign(r"Cisco IOS XR Software"),),
    commands=(Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),),
    restore=Restore(
        way="candidate",
        note="Copy the file to disk0:; in `configure exclusive`: `load disk0:/FILE`, `show configuration changes "
        "diff`, `commit replace confirmed minutes 5`, then `commit` in the same session.",
        procedure=Procedure(
            source="running.cfg",
            path="disk0:/{file}",
            by="scp",
            load=(
                Line("dir disk0:/{file}", expect="{size}"),
                # Exclusive: what another engineer has begun must neither be committed nor be lost.
                Line("configure exclusive"),
                Line("load disk0:/{file}", expect="bytes parsed"),
            ),
            discard=(Line("abort"),),
            commit=(Line("commit replace confirmed minutes {minutes}", answers=((r"\[no\]: ?$", "yes"),)),),
            # Another session cannot: there a commit finds nothing to confirm, and the trial runs on.
            holds=True,
            confirm=(Line("commit"),),
            save=(),
            remove=(Line("delete /noprompt disk0:/{file}"),),
            settles=60.0,
            refusals=(
                r"^%(?! ?(?:WARNING|Confirming))",
                r"^Cannot enter exclusive mode",
                r"^No configuration changes to commit",
            ),
            undone="Without the second `commit` the router itself goes back to the configuration from before.",
            not_undone="Keys and certificates. When the session breaks that made the change, nobody can confirm it any "
            "more: the router goes back by its timer, although it ran the version.",
        ),
    ),
    verified="recording",
    source="a session on an XRd with 7.7.1 (as published by Cisco): what stands before it, its header and its end; the "
    "rest from Cisco's configuration fundamentals guide, as remembered; the restore was tried against a simulated "
    "router only",
    patience=60.0,
    volatile=(
        r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d+ [0-9:.]+ ",  # the time of asking, before every answer
        r"^Building configuration\.\.\.",
        r"^!! (?:Last configuration change at |No configuration change since last restart)",
    ),
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^snmp-server community (?:clear|encrypted) ){VALUE}",
        rf"(?P<keep>^ +host \S+ (?:traps|informs) (?!version 3 )(?:version \S+ )?(?:(?:clear|encrypted) )?){VALUE}",
        Section(r"^ +hsrp \d+.*$", r"^ +!", (rf"(?P<keep>^ +authentication (?:clear )?){VALUE}",)),
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?(?:This command is not authorized|No such configuration item)"),
)
