"""Huawei SmartAX (MA5600, MA5800)."""

from inventory.platforms.idioms import CIPHER_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="huawei_smartax",
    label="Huawei SmartAX (MA5600, MA5800)",
    netmiko_type="huawei_smartax",
    signs=(Sign(r"^ *VERSION : MA5\d{3}", "display version"),),
    commands=(
        Command(
            line="display current-configuration", filename="current.cfg", complete_when=r"^return\s*$", min_bytes=100
        ),
    ),
    restore=Restore(
        way="file",
        note="`load configuration` of the file over SFTP and restart; the whole system goes back only with its own "
        "`backup data` and `load data`.",
    ),
    verified="recording",
    source="a session on an MA5800 with V100R021 (as published); the lines said before it and the restore from "
    "Huawei's command reference, as remembered",
    comment="#",
    setup=("enable", "undo smart", "scroll 512"),
    patience=60.0,
    volatile=(r"^\[(?:Active: |Saving (?:user|time): |!ZipFileCrc:)",),
    secrets=(
        *CIPHER_SECRETS,
        r"(?P<keep>^[ \t]*snmp-agent target-host .{0,200}\bsecurityname )\S+",
        r"(?P<keep>\b(?:loid-auth|checkcode-auth) )\S+",
        rf"(?P<keep>^[ \t]*ntp-service authentication-keyid \d+ authentication-mode \S+ )(?!cipher |simple ){VALUE}",
        r"(?<!server )(?<!client )(?P<keep>\b(?:irreversible-cipher|cipher|simple) )(?!authentication-mode "
        r"|privacy-mode )\S+",
        rf"(?P<keep>^[ \t]*snmp-agent community (?:read|write) )(?!cipher |simple ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:terminal user name (?:buildrun_new|history)_password \S+"
        rf"|ont add .{{0,200}}\bpassword-auth) ){VALUE}",
    ),
    refusals=(
        r"^[ \t]*%? ?(?:Unknown command|Incomplete command|Parameter error|Too many parameters|Ambiguous command)",
    ),
    pager=(r"^ *---- More \( Press 'Q' to break \) ----",),
    ansi=True,
)
