"""Versa FlexVNF."""

from inventory.platforms.sheet import Command, Platform, Restore

_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|[^\s";]+)"""


PLATFORM = Platform(
    slug="flexvnf",
    label="Versa FlexVNF",
    netmiko_type="flexvnf",
    commands=(
        # Every section ends with a bracket: a cut behind one cannot be seen. Only the prompt and the size tell.
        Command(line="show configuration", filename="configuration.conf", min_bytes=100),
        # The same as lines, for reading differences and for picking single settings back.
        Command(line="show configuration | display set", filename="configuration.set", optional=True),
    ),
    restore=Restore(
        way="candidate",
        note="Copy configuration.conf to the device, `configure`, `load override FILE`, `compare`, `commit check`, "
        "`commit confirmed 5`, then `commit`. What the Director manages comes from there again.",
    ),
    verified="none",
    source="from memory of Versa's FlexVNF CLI",
    comment="#",
    patience=60.0,
    secrets=(
        rf"(?P<keep>\b(?:\S{{0,40}}password|secret|\S{{0,40}}shared-key|shared-secret|pre-shared-key|\S{{0,40}}(?<!public)-key|(?<!public-)key"
        rf"|passphrase|community(?:-name)?|md5-key) )(?!\{{|\S+ \{{){_VALUE}",
    ),
    refusals=(r"^[ \t]*(?:syntax error|unknown command|Error: |Aborted: )",),
    pager=(r"^ *--More-- ?",),
    ansi=True,
)
