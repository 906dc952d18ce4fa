"""Cisco access points (AP-COS)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="cisco_ap",
    label="Cisco access points (AP-COS)",
    netmiko_type="cisco_ap",
    signs=(Sign(r"^AP Running Image +: "),),
    commands=(
        # An access point ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
    ),
    restore=Restore(
        way="none",
        note="The controller owns the configuration and gives it to the access point when it joins: restore the "
        "controller's.",
    ),
    verified="none",
    source="Cisco's access point command reference, as remembered; held against no device",
    enable=True,
    volatile=(r"^AP (?:Up|Join) Time", r"^(?:Uptime|Time since)"),
    secrets=(
        r"(?P<keep>^[ \t]*Radius Key *: *)\S+",
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*(?:AP (?:Username|Password)|Password) ?: ?){VALUE}",
    ),
    refusals=CISCO_REFUSALS,
)
