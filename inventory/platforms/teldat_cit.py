"""Teldat CIT."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="teldat_cit",
    label="Teldat CIT",
    netmiko_type="teldat_cit",
    signs=(Sign(r"Teldat", GREETING),),
    commands=(Command(line="show config", filename="config.cfg", complete_when=r"^[ \t]*end\s*$", min_bytes=60),),
    restore=Restore(
        way="file",
        note="Put the file over FTP in the place of the configuration in use (`config file list` names it) and "
        "restart. Pasted into process 4 it needs `no configuration` first.",
    ),
    verified="none",
    source="Teldat's manual Dm704-I, as remembered; the restore not checked",
    setup=("process 4",),  # the monitor at `*` shows no configuration, the static configuration's process does
    comment=";",
    secrets=(
        rf"(?P<keep>^[ \t]*host \S+ trap version v2c ){VALUE}",
        rf"(?P<keep>^[ \t]*pin (?:plain |ciphered )?){VALUE}",
        rf"(?P<keep>^[ \t]*key-id \d+ md5 ){VALUE}",
        rf"(?P<keep>^[ \t]*user \S+ (?:hash-)?password {TYPE}){VALUE}",
        rf"(?P<keep>^[ \t]*community (?!access\b)){VALUE}",
        rf"(?P<keep>^[ \t]*(?:key (?:preshared )?(?:ip|hostname) \S+ (?:ciphered |plain )?)){VALUE}",
        rf"(?P<keep>\bciphered ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*CLI Error: "),
    pager=(r"^ *-- More -- ?",),
    ansi=True,
)
