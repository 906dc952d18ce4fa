"""Vyatta and VyOS before 1.3."""

from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign
from inventory.platforms.vyos import PLATFORM as VYOS

PLATFORM = Platform(
    slug="vyatta_vyos",
    label="Vyatta and VyOS before 1.3",
    netmiko_type="vyatta_vyos",
    signs=(Sign(r"^Version: +(?:VyOS 1\.[012]|VC\d|V[SR]E-|999\.)"),),
    commands=(
        Command(line="show configuration commands", filename="configuration.set", min_bytes=60),
        Command(
            line="cat /config/config.boot",
            filename="config.boot",
            complete_when=r"^/\* Release version: ",
            optional=True,
        ),
    ),
    restore=Restore(
        way="candidate",
        note="Copy config.boot to the router, `configure`, `load FILE`, `compare`, `commit-confirm 5`, `confirm`, "
        "`save`. configuration.set is for picking single settings back: its lines only add.",
    ),
    verified="recording",
    source="whole answers of VyOS 1.1 with both commands (as published); Vyatta itself, refusals and the restore from "
    "the Vyatta Basic System guide and VyOS' documentation for 1.2, as remembered",
    comment="#",
    secrets=VYOS.secrets,
    refusals=VYOS.refusals,
    ansi=True,
    save=("configure", "save", "exit"),
)
