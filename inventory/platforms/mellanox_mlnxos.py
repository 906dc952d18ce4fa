"""NVIDIA Onyx (Mellanox MLNX-OS)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="mellanox_mlnxos",
    label="NVIDIA Onyx (Mellanox MLNX-OS)",
    netmiko_type="mellanox_mlnxos",
    signs=(Sign(r"^Product name: +(?:Onyx|MLNX-OS)"),),
    commands=(
        # Onyx ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(
            line="show running-config", filename="running.cfg", fallbacks=("show configuration running",), min_bytes=200
        ),
    ),
    restore=Restore(
        way="merge",
        note="`configuration text fetch scp://USER@HOST/FILE`, then `configuration text file FILE apply`; remove by "
        "hand what is too much. A whole one goes back as the switch's own binary (`configuration fetch`, "
        "`switch-to`).",
    ),
    verified="recording",
    source="Onyx 3.9, as published with Oxidized; the restore from NVIDIA's Onyx user manual, as remembered",
    comment="##",
    enable=True,
    patience=60.0,
    volatile=(r"^## Generated at ",),
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^ *username \S+ password (?:\d )?){VALUE}",
        rf"(?P<keep>^ *snmp-server user .*?\b(?:auth|priv) \S+ ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?(?:Unrecognized|You do not have)"),
    ansi=True,
    save=("configuration write",),
)
