"""Extreme ERS (BOSS, former Nortel and Avaya)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="extreme_ers",
    label="Extreme ERS (BOSS, former Nortel and Avaya)",
    netmiko_type="extreme_ers",
    signs=(Sign(r"^HW:\S+ +FW:\S+ +SW:", "show sys-info"),),
    commands=(
        # ERS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=200),
    ),
    restore=Restore(
        way="merge",
        note="Put the file on a TFTP server and `configure network address HOST filename FILE`, on a switch set back "
        "with `boot default` for the whole. Passwords and communities are not part of the text.",
    ),
    verified="recording",
    source="a session on a 4550T-PWR with 5.7 (as published, without its last lines), other headers as published; the "
    "end, refusals and the restore from Extreme's ERS 4900 and 5900 guides, as remembered",
    enable=True,
    patience=60.0,
    volatile=(r"^! (?:Date|Time|Generated)\b",),
    secrets=(
        rf"(?P<keep>^[ \t]*(?:cli|web-server) password (?:(?:switch|stack|serial|telnet) )?"
        rf"(?:read-only|read-write|rwa|rw|ro) ){VALUE}",
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*(?:radius|tacacs) server .*?\bkey {TYPE}){VALUE}",
    ),
    refusals=CISCO_REFUSALS,
    pager=(r"^----More \(q=Quit, space/return=Continue\)----",),
    ansi=True,
    save=("save config",),
)
