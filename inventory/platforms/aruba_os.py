"""ArubaOS (mobility controllers)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="aruba_os",
    label="ArubaOS (mobility controllers)",
    netmiko_type="aruba_os",
    signs=(Sign(r"^ArubaOS \(MODEL: Aruba\d"),),
    commands=(
        # 8.10 ends with `end`; whether all versions do is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=200),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=200, optional=True),
    ),
    restore=Restore(
        way="merge",
        note="`encrypt disable` has shown the keys, so the lines can be pasted in `configure terminal`; remove by hand "
        "what is too much. A whole controller goes back with its own `backup flash` and `restore flash`.",
    ),
    verified="recording",
    source="ArubaOS 8.10 on a 7210, as published with Oxidized; the restore from Aruba's manuals, as remembered",
    enable=True,
    setup=("encrypt disable",),
    patience=60.0,
    volatile=(r"^Building Configuration\.\.\.",),
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*mgmt-user \S+ \S+ )(?![0-9]{{1,3}}[ \t\r]*$){VALUE}",
        rf"(?P<keep>^[ \t]*(?:key|wpa-passphrase|wpa-hexkey|mgmt-user \S+ \S+|admin-passwd"
        rf"|key-passphrase) )(?!\d+\s*$){VALUE}",
        rf"(?P<keep>^[ \t]*mobility-manager \S+ user \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:localip|masterip|conductorip|peer-ip-address) \S+ ipsec ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:ike authentication pre-share|bkup-passwords|ap-console-password) ){VALUE}",
        rf"(?P<keep>^[ \t]*authentication )(?!pre-share|rsa-sig|ecdsa|eap|dot1x|mac\b){VALUE}(?=[ \t]*$)",  # of VRRP
        rf"(?P<keep>^[ \t]*snmp-server user .*?\b(?:auth-prot|priv-prot) \S+ ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Invalid command|Access denied)"),
    ansi=True,
    save=("write memory",),
)
