"""Citrix NetScaler (ADC)."""

from inventory.platforms.idioms import VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="netscaler",
    label="Citrix NetScaler (ADC)",
    netmiko_type="netscaler",
    signs=(Sign(r"^[ \t]?NetScaler NS\d"),),
    commands=(
        # Every answer ends with the word Done, and so a whole one does.
        Command(line="show ns runningConfig", filename="running.conf", complete_when=r"^ ?Done\s*$", min_bytes=100),
        Command(line="show ns.conf", filename="ns.conf", complete_when=r"^ ?Done\s*$", optional=True),
    ),
    restore=Restore(
        way="file",
        note="Take the last line, `Done`, off; put the file to /nsconfig/ns.conf and `reboot -warm` without saving. "
        "Certificates and keys are not part of the text, and its encrypted values only suit the same device's "
        "keys.",
    ),
    verified="recording",
    source="the ns.conf of a CPX 13.0 (as published); the command's frame and the restore from Citrix' documentation,"
    "as remembered",
    comment="#",
    patience=60.0,
    volatile=(r"^# Last modified (?:by|at|on)? ?",),
    secrets=(
        rf"(?P<keep>^[ \t]*add ssl certKey .{{0,300}}? )(?!-){VALUE}(?= -encrypted\b)",
        rf"(?P<keep> -(?:password|[\w]{{0,30}}Password|passwd|passcrypt|keyValue|radKey|passphrase|psk"
        rf"|encKey|authKey|\w{{0,30}}[sS]ecret|communityName) ){VALUE}",
        rf"(?P<keep>^ *(?:add|set) system user \S+ )(?!-){VALUE}",
        rf"(?P<keep>^ *(?:add|set) snmp (?:community|user \S+ .*?-(?:authPasswd|privPasswd)) ){VALUE}",
        r"(?P<keep> )[0-9a-f]{32,}(?= -encrypted)",
    ),
    refusals=(r"^[ \t]*ERROR: ",),
    save=("save ns config",),
)
