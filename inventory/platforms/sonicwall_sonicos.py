"""SonicWall SonicOS."""

from inventory.platforms.idioms import TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="sonicwall_sonicos",
    label="SonicWall SonicOS",
    netmiko_type="generic",
    signs=(Sign(r"^firmware-version .{0,3}SonicOS"),),
    commands=(
        # SonicOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show current-config", filename="running.cfg", min_bytes=200),
    ),
    restore=Restore(
        way="merge",
        note="In `configure`, paste the lines that are missing, remove by hand what is too much, and `commit`. A whole "
        "device is put back from an .exp file of its own, which this text is not.",
    ),
    verified="none",
    source="SonicWall's SonicOS E-CLI reference guide, as remembered",
    setup=("no cli pager session",),
    patience=60.0,
    volatile=(
        r"^[ \t]*system-time \"",
        r"^[ \t]*system-uptime \"",
        r"^[ \t]*checksum \d+",
    ),
    secrets=(
        rf"(?P<keep>\bpassword default ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:authentication|encryption) (?:md5|sha\d*|aes\d*|des|3des) ){VALUE}",
        rf"(?P<keep>\b(?:secret|shared-secret|password|passphrase|community(?:-name)?|\S{{1,40}}-(?:password|secret|key))"
        rf" {TYPE})(?!enforce|complexity|min|max|change\b){VALUE}",
    ),
    refusals=(r"^[ \t]*% ?(?:Error|No matching command|Incomplete|Ambiguous|Permission)",),
    pager=(r"^ *--MORE-- ?",),
    ansi=True,
)
