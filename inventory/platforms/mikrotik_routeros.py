"""MikroTik RouterOS 6 and 7."""

from inventory.platforms.procedure import Line, Procedure
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore, Section
from inventory.platforms.signs import GREETING, SSH, Sign

# An export breaks long lines with a backslash, after "name=" and even inside a quoted value.
_BROKEN = r"(?:\\\n[ \t]*)?"
_VALUE = r"""(?:"(?:[^"\\]|\\(?s:.))*"|[^\s"\\]+)"""

PLATFORM = Platform(
    slug="mikrotik_routeros",
    label="MikroTik RouterOS",
    netmiko_type="mikrotik_routeros",
    signs=(
        Sign(r"^ROSSSH", SSH),
        Sign(r"MikroTik RouterOS", GREETING),
        Sign(r"^ +platform: MikroTik", "/system resource print"),
    ),
    commands=(
        # RouterOS 7 hides secrets unless told otherwise; RouterOS 6 shows them, and does not know the word.
        Command(line="/export show-sensitive", filename="export.rsc", fallbacks=("/export",), min_bytes=100),
    ),
    files=(
        # Everything that an export leaves out: users, certificates, keys. In memory on models with a directory flash.
        RemoteFile(
            path="/netcairn.backup",
            filename="system.backup",
            before=("/system backup save name=netcairn dont-encrypt=yes",),
            after=("/file remove [find name=netcairn.backup]",),
            every_days=7,
        ),
    ),
    restore=Restore(
        way="reset",
        note="Upload export.rsc and `/system reset-configuration no-defaults=yes run-after-reset=export.rsc`: the "
        "router restarts empty and runs it. Users, their passwords, certificates and keys are not part of an export.",
        by_hand=(
            "/system backup save name=before-restore",
            "(upload {file} of the version to the router)",
            "/system reset-configuration no-defaults=yes keep-users=yes run-after-reset={file}",
            "(when it does not come back: the reset button, then /system backup load name=before-restore)",
        ),
        procedure=Procedure(
            source="export.rsc",
            path="{session}.rsc",
            by="sftp",
            prelude=(
                # A job and no scheduler: that would stand in the export, and go off early when the clock is set. Once
                # the restore is confirmed there is no backup any more, and the job does nothing.
                ':execute script=":delay {minutes}m; /system backup load name={session} password=\\"\\""',
                ":delay 30s",  # interfaces come up after the script has begun
            ),
            load=(
                # A model with a directory flash loses everything beside it when it restarts, the script too.
                Line(':put ("flash=" . [:len [/file find name=flash]])', expect="flash=0"),
                Line(':put ("bytes=" . [/file get {session}.rsc size])', expect="bytes={size}"),
                Line("/system backup save name={session} dont-encrypt=yes", expect="backup saved"),
            ),
            commit=(
                Line(
                    "/system reset-configuration no-defaults=yes keep-users=yes run-after-reset={session}.rsc",
                    answers=((r"Reset anyway\? \[y/N\]", "y"),),
                ),
            ),
            restarts=True,
            confirm=(Line("/file remove {session}.backup"),),
            save=(),
            remove=(Line('/file remove [find name~"{session}"]'),),
            settles=300.0,  # it starts twice, and the job begins after the first time
            undone="Without confirmation the router loads the backup that was made right before, and restarts.",
            not_undone="Each way costs a restart. A power cut before the confirmation ends the timer: then "
            "`/system backup load` is for a person. Users, certificates and keys are not part of an export: users stay "
            "as they are, the others are gone after a reset.",
        ),
    ),
    verified="recording",
    source="RouterOS 7.10 (CHR); RouterOS 6 and the restore from MikroTik's documentation",
    comment="#",
    patience=60.0,  # a menu that does not answer is given up by the router itself only after a while
    volatile=(
        r"(?P<keep>^# ).+?(?= by RouterOS )",  # the time; the version after it counts
        # All other comments are the state of the moment: a link, a channel, PoE, a time window.
        r"^# (?!software id = |model = |serial number = |.* by RouterOS )",
    ),
    secrets=(
        r"(?P<keep>\b[a-z0-9.-]{0,40}(?:password|passphrase|secret|private-key|preshared-key|pre-shared-key|authentication-key"
        rf"|encryption-key|auth-key|md5-key|static-key-[0-3]|protection-key)={_BROKEN}){_VALUE}",
        rf"(?P<keep>(?<![\w.-])(?:key|pin|token)={_BROKEN}){_VALUE}",
        rf"(?P<keep>^[ \t]*/?snmp community (?:add|set) (?:.{{0,200}}? )?name={_BROKEN}){_VALUE}",
        Section(
            begins=r"^[ \t]*/snmp community[ \t\r]*$",
            ends=r"^[ \t]*/",
            secrets=(rf"(?P<keep>\bname={_BROKEN}){_VALUE}",),
        ),
    ),
    refusals=(
        r"^[ \t]*(?:bad command name|syntax error|expected end of command|no such item|input does not match)\b",
        r"^[ \t]*(?:failure: )?not (?:permitted|enough permissions)",
    ),
    # A menu that did not answer in time (since 7.11), and an export that was broken off. A menu that this model does
    # not have is said without "(timeout)", on every export, and is no hole.
    withheld=(r"^#error exporting .*\(timeout\)", r"^#?interrupted\s*$"),
    ansi=True,
)
