"""Silver Peak VXOA (EdgeConnect)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="silverpeak_vxoa",
    label="Silver Peak VXOA (EdgeConnect)",
    netmiko_type="silverpeak_vxoa",
    signs=(Sign(r"^Product name: +(?:VXOA|ECOS|EdgeConnect)"),),
    commands=(
        # VXOA ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
    ),
    restore=Restore(
        way="merge",
        note="Paste the lines that are missing, remove by hand what is too much, `write memory`. What the Orchestrator "
        "manages comes from there again.",
    ),
    verified="none",
    source="from memory",
    enable=True,
    patience=60.0,
    volatile=(r"^## Generated at ",),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp-server encrypt ){VALUE}",
        rf"(?P<keep>^[ \t]*username \S+ password \d ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:no )?snmp-server user .{{0,200}}? (?:auth|priv) \S+ ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?(?:Unrecognized|Insufficient)"),
    pager=(r"^lines \d+-\d+ ?",),
    save=("write memory",),
)
