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
        Sign(r"^Incorrect usage\. ", sure=False),
    ),
    commands=(
        # The one form that can be put back, and that says where it ends; `show run-config commands` does neither.
        Command(
            line="show run-config startup-commands",
            filename="run-config.txt",
            complete_when=r"^# WLC Config End\b",
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="file",
        note="Put the file on a server, `transfer download datatype config` with its `mode`, `serverip`, `path` and "
        "`filename`, `transfer download start`: the controller starts again with it. Pasted it only adds.",
    ),
    verified="recording",
    source="the whole configuration of a Mobility Express controller with 8.8 (as published); that this command begins "
    "and ends like it, the prompt and refusals from other tools; the restore from Cisco's guide for 8.10, "
    "as remembered, and from people who went back so. Releases before 7 do not know the command. A controller with "
    "IOS-XE is collected as `cisco_ios`",
    comment="#",
    patience=120.0,  # it works out all lines before it says the first
    frame=(r"^Config generation may take some time",),
    volatile=(
        r"^# WLC Config (?:Begin|End)\b",
        r"^!",  # the ports' and the neighbours' state at the head
        # Start value, check and cipher: each show encrypts anew, so a new password alone is no change that can be seen.
        r"(?P<keep>\b(?:encrypt|encrypt_v1|password) (?:\S{1,64} )?\d )"
        r"[0-9a-f]{32} [0-9a-f]{40} (?:\d{1,3} )?[0-9a-f]{16,1024}",
        # What the controller has heard around it
        r"^ *(?:config )?rogue (?:ap classify|(?:adhoc|client) (?:alert|unknown)) ",
        r"^ *(?:config )?interface nat-address management set -?[0-9]{4,}\.",
    ),
    secrets=(
        rf"(?P<keep>^[ \t]*(?:config )?mgmtuser password \S+ ){VALUE}(?= *\r?$)",
        r"(?P<keep>^[ \t]*(?:config )?(?:radius|tacacs) \w{1,12} add encrypt \d+ \S+ \d+ (?:password )?)\S.*$",
        r"(?P<keep>^[ \t]*(?:config )?mgmtuser add encrypt \S+ )\S.*?(?= (?:read-write|read-only|lobby-admin)|$)",
        r"(?P<keep>^[ \t]*(?:config )?netuser add encrypt username \S+ password )"
        r"\S.*?(?= (?:wlan|guestlan|userType)|$)",
        r"(?P<keep>^[ \t]*(?:config )?netuser add (?!encrypt )\S+ )\S+",
        r"(?P<keep>^[ \t]*(?:config )?snmp v3user (?:create|add) (?:\S+ ){4}(?:encrypt )?)\S.*$",
        r"(?P<keep>^[ \t]*(?:config )?snmp trapreceiver (?:create|mode \w+|delete) )\S+",
        r"(?P<keep>^[ \t]*(?:config )?snmp trapreceiver ipsec .*? )(?:\"[^\"\n]*\"|\S+)(?=\s*$)",
        # The number of the key, the start value, the check and the length, then the secret
        r"(?P<keep>\bencrypt\b[^\n]{0,100}? (?:username \S+ )?password \d+ )[0-9a-f]{16,} \S.*?"
        r"(?= (?:secret|read-write|read-only|lobby-admin|all)\b|$)",
        r"(?P<keep>\bsecret encrypt )\S.*?(?= (?:all|\S+)$|$)",
        r"(?P<keep>\bset-key (?:ascii|hex) encrypt )\S.*?(?= \d{1,3}$|$)",
        r"(?P<keep>\bstatic-wep-key encryption \d+ \d+ (?:ascii|hex) )\S+",
        r"(?P<keep>\bkey-auth add \d+ md5 (?:(?:ascii|hex) )?)\S+",
        r"(?P<keep>^[ \t]*(?:config )?ldap simple-bind authenticated \S+ )\S+",
        rf"(?P<keep>^[ \t]*(?:config )?(?:radius|tacacs) \w+ add (?:encrypt )?\d+ \S+ \d+ (?:(?:ascii|hex"
        rf"|password) )?){VALUE}",
        rf"(?P<keep>^[ \t]*(?:config )?mgmtuser add (?:encrypt )?\S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:config )?snmp community (?:create|accessmode \S+|mode \S+|ipaddr \S+ \S+) ){VALUE}",
        rf"(?P<keep>\bset-key (?:ascii|hex) (?:encrypt \d+ )?){VALUE}",
        rf"(?P<keep>^[ \t]*(?:config )?(?:ap mgmtuser add|ap 802\.1Xuser add) .*?\b(?:password|secret) ){VALUE}",
    ),
    refusals=(r"^[ \t]*(?:Incorrect usage\.|Incorrect input!|HELP:|Not enough privileges)",),
    pager=(r"^--More-- or \(q\)uit", r"^Press (?:Enter|any key) to continue"),
)
