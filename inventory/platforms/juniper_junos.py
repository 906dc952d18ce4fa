"""Juniper Junos."""

from inventory.platforms.procedure import Line, Procedure
from inventory.platforms.sheet import Command, Platform, Restore, Section, Worded
from inventory.platforms.signs import GREETING, Sign

_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|[^\s";]+)"""

PLATFORM = Platform(
    slug="juniper_junos",
    label="Juniper Junos",
    netmiko_type="juniper_junos",
    signs=(
        Sign(r"^Junos: |^JUNOS (?:Software|OS|Base)"),
        Sign(r"^--- JUNOS ", GREETING),
    ),
    commands=(
        Command(
            line="show configuration | no-more",
            filename="configuration.conf",
            complete_when=r"^\}\s*$",  # only a section of the highest level closes at the margin
            min_bytes=100,
        ),
        # The same as lines, for reading differences and for picking single settings back.
        Command(line="show configuration | display set | no-more", filename="configuration.set", optional=True),
    ),
    restore=Restore(
        way="candidate",
        note="`load override terminal` and paste configuration.conf, `show | compare`, `commit check`, "
        "`commit confirmed 5`, then `commit`.",
        procedure=Procedure(
            source="configuration.conf",
            path="/var/tmp/{file}",  # noqa: S108  (on the device)  # nosec B108
            by="scp",
            load=(
                # Exclusive: what another engineer has begun must neither be committed nor be lost.
                Line("configure exclusive", expect="Entering configuration mode"),
                Line("load override /var/tmp/{file}", expect="load complete"),
                Line("commit check", expect="configuration check succeeds"),
            ),
            discard=(Line("rollback 0"), Line("exit configuration-mode", answers=((r"\[yes,no\]", "yes"),))),
            commit=(Line("commit confirmed {minutes}", expect="commit complete"),),
            confirm=(
                Line("configure exclusive", expect="Entering configuration mode"),
                Line("commit", expect="commit complete"),
                Line("exit configuration-mode"),
            ),
            save=(),
            remove=(Line("file delete /var/tmp/{file}"),),
            settles=60.0,
            refusals=(
                r"^(?:[^ \n]{1,200}: ?)?(?:error|syntax error)\b",
                r"\(\d+\) syntax error",
                r"^load complete \(\d+ errors?\)",
                r"^configuration check-out failed",
            ),
            undone="Without confirmation Junos itself goes back to the configuration before the commit.",
            not_undone="Keys, certificates and licences are not part of the text. Whether the timer outlives a restart "
            "depends on the version of Junos.",
        ),
    ),
    verified="recording",
    source="Junos 22.4 on an SRX300; `display set`, withheld parts and the restore from Juniper's documentation",
    comment="#",
    patience=60.0,
    volatile=(r"^## Last (?:commit|changed): ",),
    secrets=(
        Worded(("license",), rf"(?P<keep>\blicense keys key ){_VALUE}"),
        # Junos itself says which values are secret: the last one of the line.
        Worded(("secret-data",), r"(?P<keep>^.{0,200}?)\"(?:[^\"\\\n]|\\.)*\"(?=; ## SECRET-DATA)"),
        Worded(
            ("password", "key", "secret", "ascii-text", "hexadecimal"),
            r"(?P<keep>\b(?:encrypted-password|plain-text-password-value|simple-password|authentication-key"
            r"|authentication-password|privacy-password|privacy-key|shared-secret|ascii-text|hexadecimal|secret"
            rf"|md5 \d+ key|authentication-key \d+ (?:type \S+ )?value|password) )"
            rf"(?!\]|\{{|(?:minimum|maximum|change-type|format)\b|\d+ (?:type|value) ){_VALUE}",
        ),
        Worded(
            ("snmp",),
            rf"(?P<keep>^[ \t]*(?:set|deactivate) snmp (?:.{{0,200}} )?(?:community(?:-name)?|trap-group) ){_VALUE}",
        ),
        Section(
            begins=r"^snmp \{",
            ends=r"^\}",
            secrets=(rf"(?P<keep>^[ \t]*(?:inactive: )?(?:community(?:-name)?|trap-group) ){_VALUE}",),
        ),
    ),
    refusals=(
        r"^[ \t]*(?:unknown command|syntax error|missing argument|invalid value)\b",
        r"^error: (?:permission denied|command is not valid|no permission)",
        r"^[ \t]*could not open configuration database",
    ),
    # What an account sees that lacks the permissions of a section, or the permission "secret".
    withheld=(r"/\* ACCESS-DENIED \*/", r"/\* SECRET-DATA \*/"),
    # The state of a cluster, a stack or a pair of routing engines, printed before every prompt.
    frame=(r"^\{(?:master|backup|linecard|primary|secondary|secondary-hold|hold|disabled|lost)(?::[^}\s]+)?\}\s*$",),
)
