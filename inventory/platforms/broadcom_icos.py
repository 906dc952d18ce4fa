"""Broadcom ICOS and FASTPATH."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, FASTPATH_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="broadcom_icos",
    label="Broadcom ICOS and FASTPATH",
    netmiko_type="broadcom_icos",
    signs=(Sign(r"^System Description\.+ .*(?:EFOS|FASTPATH|ICOS)"),),
    commands=(
        # ICOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE nvram:startup-config` and `reload` without saving.",
    ),
    verified="recording",
    source="EFOS 3.12 on a NetApp BES-53248, as published with Oxidized; the restore from Broadcom's references, as "
    "remembered",
    enable=True,
    volatile=(
        r"^! ?System Up Time",
        r"^! ?Current (?:SNTP Synchronized Time|System Time)",
    ),
    secrets=(
        *FASTPATH_SECRETS,
        rf"(?P<keep>^(?:username \S+|enable) password (?:\d )?){VALUE}",
        rf"(?P<keep>^(?:radius|tacacs-server) .{{0,200}}?\bkey (?:(?:auth|acct|encrypted) )*(?:\"[^\"\n]*\" )?"
        rf"(?:encrypted )?){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Error: |Command not found|An invalid)"),
    pager=(r"^ *--More-- or \(q\)uit ?",),
    save=("write memory confirm",),
)
