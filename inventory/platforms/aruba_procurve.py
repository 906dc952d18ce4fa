"""HPE Aruba AOS-S (ProCurve)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import SSH, Sign

PLATFORM = Platform(
    slug="aruba_procurve",
    label="HPE Aruba AOS-S (ProCurve)",
    netmiko_type="aruba_procurve",
    signs=(
        Sign(r"^Image stamp:"),
        Sign(r"^Mocana SSH", SSH, sure=False),
    ),
    commands=(
        # AOS-S ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        merge="HP_PROCURVE",  # shown for a person; the switch has no timer that would take a wrong line back
        note="`copy tftp startup-config HOST FILE` (or SFTP to /cfg/startup-config), after which the switch restarts; "
        "16.x has `cfg-restore` without a restart. Passwords are only there with `include-credentials`.",
    ),
    verified="recording",
    source="a 2930M with WC.16.11.0028 (as published); startup-config and the restore from Aruba's management guide,"
    "as remembered",
    comment=";",
    volatile=(r"^Running configuration:", r"^Startup configuration:"),
    secrets=(
        r"(?P<keep>\b(?:sha1|sha256|plaintext)[ \t\r]*\n[ \t]+)\"[^\"\n]*\"",
        rf"(?P<keep>^[ \t]*encrypted-password \S+ user-name \S+ ){VALUE}",
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*password (?:manager|operator|all|port-access) (?:user-name \S+ )?(?:sha1|sha256"
        rf"|plaintext) ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:radius|tacacs)-server .*?\b(?:key|encrypted-key) ){VALUE}",
        rf"(?P<keep>^[ \t]*snmpv3 (?:user .*?\bauth (?:md5|sha)|community index \S+ name) ){VALUE}",
        rf"(?P<keep>^[ \t]*snmpv3 user .*?\bpriv (?:(?:aes|des) )?){VALUE}",
        rf"(?P<keep>^[ \t]*(?:sntp|timesync \S+) authentication key-id \d+ .*?key-value ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Invalid input: |Not authorized)"),
    pager=(r"^-- MORE --, next page: Space",),
    ansi=True,
    save=("write memory",),
)
