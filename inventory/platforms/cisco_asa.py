"""Cisco ASA."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="cisco_asa",
    label="Cisco ASA",
    netmiko_type="cisco_asa",
    signs=(Sign(r"\A(?!(?s:.*)Threat Defense)(?s:.{0,200}?)^Cisco Adaptive Security Appliance Software"),),
    commands=(
        # Only `more` shows keys; `show running-config` has asterisks in their place.
        Command(
            line="more system:running-config",
            filename="running.cfg",
            complete_when=r"^: end\s*$",
            fallbacks=("show running-config",),
            min_bytes=200,
        ),
        Command(line="show startup-config", filename="startup.cfg", complete_when=r"^: end\s*$", optional=True),
    ),
    restore=Restore(
        way="file",
        note="Copy running.cfg to disk0:, `copy disk0:FILE startup-config` and `reload`. `copy FILE running-config` "
        "only adds. Certificates and keys are not part of the text.",
    ),
    verified="recording",
    source="ASA 9.12 on a 5512-X in single mode; startup-config and the restore from Cisco's guides. With several "
    "contexts it is the one that is logged in to: add each as a device of its own",
    enable=True,
    comment=":",
    patience=60.0,
    volatile=(r"^: Saved\s*$", r"^: Written by ", r"^Cryptochecksum:"),
    secrets=(
        r"(?P<keep>^[ \t]*authentication key eigrp \d+ )\S+",
        rf"(?P<keep>^[ \t]+key {TYPE}){VALUE}(?= [0-9]$)",
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*(?:enable password|passwd|failover key|failover ipsec pre-shared-key) {TYPE}){VALUE}",
        rf"(?P<keep>^[ \t]*snmp-server host \S+ \S+ (?:(?:poll|trap) )?community {TYPE}){VALUE}",
        rf"(?P<keep>^[ \t]*radius-common-pw {TYPE}){VALUE}",
        rf"(?P<keep>^[ \t]*(?:server-)?(?:key|secondary-key) {TYPE})(?!\d{{1,3}}\s*$){VALUE}\s*$",
        rf"(?P<keep>^[ \t]*aaa-server \S+ (?:\(\S+\) )?host \S+ )(?!timeout ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*ERROR: "),
    withheld=(r"^ *(?!banner\b|description\b)\S.{0,100}(?:key|password|community|passwd) \*{5}(?: |\r?$)",),
    pager=(r"^<--- More --->",),
    save=("write memory",),
)
