"""Cisco Wireless Controller (AireOS)."""

from inventory.platforms.idioms import VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="cisco_wlc",
    label="Cisco Wireless Controller (AireOS)",
    netmiko_type="cisco_wlc",
    signs=(
        Sign(r"^Product Name\.+ Cisco Controller", "show sysinfo"),
        Sign(r"^\(Cisco Controller\) >", GREETING),
    ),
    commands=(
        # AireOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(
            line="show run-config commands", filename="run-config.txt", fallbacks=("show run-config",), min_bytes=200
        ),
    ),
    restore=Restore(
        way="file",
        note="The controller takes back only its own encrypted file (`transfer upload datatype config`, and `transfer "
        "download` of the same). The text is for reading, and for pasting single lines after `config`.",
    ),
    verified="none",
    source="Cisco's Wireless Controller command reference for 8.10, as remembered; held against no device. A "
    "controller with IOS-XE is collected as `cisco_ios`",
    comment="#",
    patience=60.0,
    volatile=(
        r"^System Time",
        r"^# WLC Config (?:Begin|End) ",
        r"^Timezone delta",
        # What the controller has heard around it
        r"^ *(?:config )?rogue (?:ap classify|(?:adhoc|client) (?:alert|unknown)) ",
        r"^ *(?:config )?interface nat-address management set -?[0-9]{4,}\.",
    ),
    secrets=(
        rf"(?P<keep>^ *(?:config )?mgmtuser password \S+ ){VALUE}(?= *\r?$)",
        r"(?P<keep>^ *(?:config )?(?:radius|tacacs) \w{1,12} add encrypt \d+ \S+ \d+ (?:password )?)\S.*$",
        r"(?P<keep>^ *(?:config )?mgmtuser add encrypt \S+ )\S.*?(?= (?:read-write|read-only|lobby-admin)|$)",
        r"(?P<keep>^ *(?:config )?netuser add encrypt username \S+ password )\S.*?(?= (?:wlan|guestlan|userType)|$)",
        r"(?P<keep>^ *(?:config )?netuser add (?!encrypt )\S+ )\S+",
        r"(?P<keep>^ *(?:config )?snmp v3user create (?:\S+ ){4}(?:encrypt )?)\S.*$",
        r"(?P<keep>^ *(?:config )?snmp trapreceiver (?:create|mode \w+|delete) )\S+",
        r"(?P<keep>^ *(?:config )?snmp trapreceiver ipsec .* )\S+(?=\s*$)",
        # The number of the key, the start value, the check and the length, then the secret
        r"(?P<keep>\bencrypt\b[^\n]{0,100}? (?:username \S+ )?password \d+ )[0-9a-f]{16,} \S.*?"
        r"(?= (?:secret|read-write|read-only|lobby-admin|all)\b|$)",
        r"(?P<keep>\bsecret encrypt )\S.*?(?= (?:all|\S+)$|$)",
        r"(?P<keep>\bset-key (?:ascii|hex) encrypt )\S.*?(?= \d{1,3}$|$)",
        r"(?P<keep>\bstatic-wep-key encryption \d+ \d+ (?:ascii|hex) )\S+",
        r"(?P<keep>\bkey-auth add \d+ md5 (?:(?:ascii|hex) )?)\S+",
        r"(?P<keep>^ *(?:config )?ldap simple-bind authenticated \S+ )\S+",
        rf"(?P<keep>^ *(?:config )?(?:radius|tacacs) \w+ add (?:encrypt )?\d+ \S+ \d+ (?:(?:ascii|hex"
        rf"|password) )?){VALUE}",
        rf"(?P<keep>^ *(?:config )?mgmtuser add (?:encrypt )?\S+ ){VALUE}",
        rf"(?P<keep>^ *(?:config )?snmp community (?:create|accessmode \S+|mode \S+|ipaddr \S+ \S+) ){VALUE}",
        rf"(?P<keep>\bset-key (?:ascii|hex) (?:encrypt \d+ )?){VALUE}",
        rf"(?P<keep>^ *(?:config )?(?:ap mgmtuser add|ap 802\.1Xuser add) .*?\b(?:password|secret) ){VALUE}",
    ),
    refusals=(r"^[ \t]*(?:Incorrect usage\.|Incorrect input!|HELP:|Not enough privileges)",),
    pager=(r"^--More-- or \(q\)uit", r"^Press (?:Enter|any key) to continue"),
)
