"""Extreme and Brocade NetIron (MLX, CER, CES)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="brocade_netiron",
    label="Extreme and Brocade NetIron (MLX, CER, CES)",
    netmiko_type="brocade_netiron",
    signs=(Sign(r"^IronWare : Version V\d|^System: NetIron"),),
    commands=(
        Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),
        Command(line="show configuration", filename="startup.cfg", complete_when=r"^end\s*$", optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp startup-config HOST FILE` (or scp to `startConfig`) and `reload`. Copied to running-config it "
        "only adds.",
    ),
    verified="recording",
    source="a router's running-config (as published with netutils, without its first lines); startup-config, refusals "
    "and the restore from Brocade's NetIron administration guide, as remembered",
    enable=True,
    patience=60.0,
    volatile=(r"^!?Current configuration ?:", r"^!?Startup-config data location is ", r"^!?Startup configuration ?:"),
    secrets=(
        rf"(?P<keep>^[ \t]*username \S+ (?:privilege \d+ )?[0-9] )(?!(?:no)?password\b){VALUE}",
        rf"(?P<keep>^[ \t]*username \S+ (?:.{{0,200}}? )?history ){VALUE}",
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*snmp-server host \S+ version v?\S+ (?:(?:auth|noauth|priv) )?(?:[0-9] (?=[$.(]))?){VALUE}",
        rf"(?P<keep>^[ \t]*enable (?:super-user|port-config|read-only)-password {TYPE}){VALUE}",
        rf"(?P<keep>\bkey [0-9] (?=[$.(])){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Invalid input ->|Error - |Unrecognized command)"),
    save=("write memory",),
)
