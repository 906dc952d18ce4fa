"""Fortinet FortiOS."""

from inventory.platforms.idioms import VALUE
from inventory.platforms.sheet import Command, Platform, Restore, Section, Worded
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="fortinet",
    label="Fortinet FortiOS",
    netmiko_type="fortinet",
    signs=(Sign(r"^Version: Forti(?!Manager|Analyzer)", "get system status"),),
    commands=(
        # The form of the device's own backup, all virtual domains included. `show full-configuration` adds every
        # default of its version: many times longer, and a restore of it nails the defaults down.
        Command(
            line="show",
            filename="fortios.conf",
            complete_when=r"^end\s*$",  # only a section of the highest level ends at the margin
            fallbacks=("show full-configuration",),
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="file",
        note="`execute restore config` from a server or in the web pages, on the same model and version: the device "
        "restarts with it. Its first line, `#config-version=`, must be there.",
    ),
    verified="recording",
    source="FortiOS 7.4 on a FortiGate-91G; virtual domains and the restore from Fortinet's documentation",
    comment="#",
    patience=60.0,
    volatile=(
        # Every `show` encrypts every secret anew, so a new password alone is no change that could be seen.
        r"(?P<keep>^[ \t]*set \S+ (?:\S+ )?ENC )\S+",
        r"(?P<keep>-----BEGIN ENCRYPTED PRIVATE KEY-----\n)(?:[A-Za-z0-9+/=]+\n)+",
        r"(?P<keep>^#config-version=\S*:user=)\S*",
        r"^#conf_file_ver=",
    ),
    secrets=(
        Worded(("enc ",), r"(?P<keep>^[ \t]*set \S+ (?:\S+ )?ENC )\S+"),
        Worded(
            ("passw", "passphrase", "secret", "pwd", "key", "community", "token", "rsso"),
            r"(?P<keep>^[ \t]*set (?:\S*passw(?:or)?d|\S*passphrase|psksecret|\S*secret|auth-pwd(?:-l)?|priv-pwd|key"
            rf"|md5-key \d+|\S+-key|key-string|\S*community|api-key|token|rsso) )"
            rf"(?!ENC |(?:enable|disable)[ \t\r]*$|\"?-----BEGIN){VALUE}",
        ),
        Section(
            begins=r"^[ \t]*config system snmp community[ \t\r]*$",
            ends=r"^end[ \t\r]*$",
            secrets=(rf"(?P<keep>^[ \t]+set name ){VALUE}",),
        ),
    ),
    refusals=(
        r"^[ \t]*(?:Unknown action|Command fail\.|command parse error|Invalid command)",
        r"^[ \t]*(?:Permission denied|You do not have permission)",
    ),
    # It could be turned off by `set output standard` only, which is the configuration's and stays.
    pager=(r"^--More-- ",),
)
