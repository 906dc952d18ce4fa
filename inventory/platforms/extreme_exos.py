"""Extreme EXOS."""

from inventory.platforms.idioms import VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="extreme_exos",
    label="Extreme EXOS",
    netmiko_type="extreme_exos",
    signs=(Sign(r"^Image +: (?:ExtremeXOS|Extreme Networks Switch Engine)"),),
    commands=(
        # EXOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show configuration", filename="configuration.xsf", min_bytes=200),
    ),
    restore=Restore(
        way="merge",
        note="Copy the file to the switch as NAME.xsf and `load script NAME`; on one set back with `unconfigure switch "
        "all` it becomes the whole configuration. Then `save configuration`.",
    ),
    verified="recording",
    source="XOS 11.2 on a Summit X450 (as published, 2008); later versions and the restore from Extreme's user guide,"
    "as remembered",
    comment="#",
    patience=60.0,
    volatile=(r"^# .*[Cc]onfiguration generated ",),
    secrets=(
        rf"(?P<keep>^[ \t]*config(?:ure)? ppp user \S+ (?:encrypted )?){VALUE}",
        rf"(?P<keep>^[ \t]*create account (?:admin|user) \S+ )(?!encrypted ){VALUE}",
        rf"(?P<keep>^[ \t]*configure snmpv3 add community .{{0,120}} name ){VALUE}",
        rf"(?P<keep>\b(?:bind-user|local-user) \S+ )(?!encrypted ){VALUE}",
        # all of the line: old versions say the hash twice
        r"(?P<keep>^[ \t]*(?:configure|create) account (?:(?:admin|user) )?\S+ encrypted )\S[^\n]*",
        rf"(?P<keep>\b(?:auth-|privacy-)?(?:encrypted|localized-key) )(?!localized-key ){VALUE}",
        rf"(?P<keep>\bshared-secret )(?!encrypted ){VALUE}",
        rf"(?P<keep>\b(?:snmpv3 add|snmp add) community (?:readonly |readwrite )?(?:hex )?)(?!encrypted "
        rf"|readonly |readwrite ){VALUE}",
        rf"(?P<keep>\b(?:md5-key|simple-password|password|ospf authentication simple) )(?!encrypted |policy"
        rf"|none){VALUE}",
    ),
    refusals=(
        r"^[ \t]*(?:%% ?|Error: ?)(?:Invalid|Unrecognized|Incomplete|Ambiguous|Permission|No permission|This user)",
    ),
    pager=(r"^Press <SPACE> to continue or <Q> to quit:",),
    ansi=True,
    save=("save configuration primary",),
)
