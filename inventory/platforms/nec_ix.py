"""NEC UNIVERGE IX."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="nec_ix",
    label="NEC UNIVERGE IX",
    netmiko_type="nec_ix",
    signs=(Sign(r"^NEC Portable Internetwork Core Operating System"),),
    commands=(
        # IX ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="In configuration mode `copy tftp HOST:FILE startup-config` and `reload`.",
    ),
    verified="recording",
    source="a session on an IX2215 with 10.7 and configurations of two IX2025 (as published); startup-config, refusals "
    "and the restore from memory",
    setup=("enable-config",),  # shows no configuration outside of configuration mode
    volatile=(r"^! Current time ", r"^! Last updated ", r"^Using \d+ out of \d+ bytes"),
    secrets=(
        rf"(?P<keep>\bpassword (?:hash|plain|secret) (?:\d )?)(?!\(masked\)){VALUE}",
        rf"(?P<keep>^[ \t]*snmp-agent (?:vrf \S+ )?(?:ip|ipv6) (?:community|host \S+) ){VALUE}",
        rf"(?P<keep>^[ \t]*ike policy .{{0,200}} key (?:char |secret )?){VALUE}",
        rf"(?P<keep>^[ \t]*(?:authentication|ppp)(?: .{{0,200}})? (?:password|secret) \S+ )(?!\(masked\)){VALUE}",
        rf"(?P<keep>^[ \t]*ikev2 authentication psk id .{{0,200}} key (?:char |secret )?){VALUE}",
        rf"(?P<keep>^[ \t]*authentication secret-password (?:\d )?\S+ ){VALUE}",
        r"(?P<keep>^[ \t]*ipsec manualkey \S+ (?:esp|ah) \S+ )\S.*$",
        r"(?P<keep>^[ \t]*(?:mobile (?:pin-auth enable|pin-code|pin|puk)|pin-(?:authentication on|code|unlock))"
        r" (?:(?:plain|secret) )?)\S.*$",
        rf"(?P<keep>^[ \t]*usbmem authentication password-file .{{0,200}} (?:plain|secret|hash) ){VALUE}",
        rf"(?P<keep>^password \S+ )(?!\(masked\)){VALUE}",
        rf"(?P<keep>^[ \t]*pki .{{0,80}} crypto ){VALUE}",
        rf"(?P<keep>^[ \t]*utm license (?:key|update) )(?!netmeister\b){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% .{0,60} -- "),
    pager=(r"^ *--More-- ?",),
    save=("enable-config", "write memory", "exit"),
)
