"""Aruba AOS-CX."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.procedure import CHANGES, Line, Procedure
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="aruba_aoscx",
    label="Aruba AOS-CX",
    netmiko_type="aruba_aoscx",
    signs=(Sign(r"^ArubaOS-CX|^AOS-CX"),),
    commands=(
        # AOS-CX ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="merge",
        merge="ARUBA_AOSCX",
        note="`checkpoint auto 5`, then line by line in `configure terminal`: the switch goes back by itself unless "
        "`checkpoint auto confirm` comes in time. startup-config takes no text, only JSON or a checkpoint. Ciphertext "
        "is read only by a switch with the same export password.",
        procedure=Procedure(
            source="running.cfg",
            load=(),
            # It is the first of the lines that take effect: from there on everything is taken back.
            commit=(
                Line("checkpoint auto {minutes}", expect="expires in"),
                Line("configure terminal"),
                Line(CHANGES),
                Line("end"),
            ),
            confirm=(Line("checkpoint auto confirm", expect="created"),),
            save=(Line("write memory"),),
            settles=60.0,
            refusals=(r"^[ \t]*(?:[Ee]rror|ERROR|[Ff]ailed|Unable to)\b", r"^Auto checkpoint mode is"),
            undone="Without `checkpoint auto confirm` the switch itself goes back to what ran before.",
            not_undone="Certificates and keys. A confirmed change leaves a checkpoint AUTO… on the switch.",
        ),
    ),
    verified="recording",
    source="AOS-CX 10.10 on a 6100 and a 6410; startup-config, copying and the export password from Aruba's "
    "command-line guides. The restore was tried against a simulated switch only",
    secrets=(
        r"(?P<keep>\b(?:ciphertext|plaintext) )\S+",
        rf"(?P<keep>^snmp-server host \S+ (?:trap|inform) version v?\S+ community ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Invalid input:|Cannot execute command\.|Command not allowed)"),
    ansi=True,
    save=("write memory",),
)
