"""Brocade Fabric OS."""

from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="brocade_fos",
    label="Brocade Fabric OS",
    netmiko_type="brocade_fos",
    signs=(Sign(r"^Fabric OS: +v", "version"), Sign(r"^rbash: show: command not found", sure=False)),
    commands=(
        # The form of the switch's own `configupload -all`.
        Command(
            line="configshow -all",
            filename="config.txt",
            complete_when=r"^\[Switch Configuration End : \d+\]\s*$",
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="merge",
        note="`switchdisable`, `configdownload -all` from a server, `switchenable` or a reboot: lines are added and "
        "changed, what the file has not stays, and the name, addresses and security settings are not taken from it. "
        "Take the file of `configupload -all` where there is one: what a switch shows is meant to be the same, but was "
        "not tried.",
    ),
    verified="none",
    source="Brocade's Fabric OS administration guide, as remembered; its beginning and end as in a published file of "
    "`configupload` with 7.0; `configdownload` from HP's command reference for Fabric OS 5.0 and Dell's guide",
    comment="#",
    patience=60.0,
    volatile=(r"^date = ", r"^Time(?:stamp)? ?[=:] "),
    secrets=(
        r"(?P<keep>^[ \t]*aaa[Cc]onfig [^\n]{0,120}? -s )(?:\"[^\"\n]*\"|\S+)",
        r"(?P<keep>^[ \t]*passwd \S+ -old )\S+",
        r"(?P<keep>^[ \t]*passwd [^\n]{0,120}?-new )\S+",
        r"(?P<keep>^[ \t]*sec[Aa]uth[Ss]ecret [^\n]{0,120}? -local )\S+",
        r"(?P<keep>^[ \t]*[\w.]{0,80}(?:[Cc]ommunity|[Ss]ecret|[Pp]asswd(?!cfg)|[Pp]assword|[Pp]assphrase)"
        r"[\w.]{0,40}[:=])[^\n]+",
    ),
    refusals=(r"^[ \t]*(?:rbash: |configshow: |RBAC permission denied|Usage: |Error: )", r": command not found"),
    pager=(r"^Type <CR> (?:to continue|or <SPACE)",),  # each command decides for itself whether it asks
)
