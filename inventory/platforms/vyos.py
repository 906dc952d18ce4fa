"""VyOS 1.3 and later."""

from inventory.platforms.procedure import Line, Procedure
from inventory.platforms.sheet import Command, Platform, Restore, Section
from inventory.platforms.signs import GREETING, Sign

_VALUE = r"""(?:'[^'\n]*'|"(?:[^"\\\n]|\\.)*"|[^\s"']+)"""

PLATFORM = Platform(
    slug="vyos",
    label="VyOS",
    netmiko_type="vyos",
    signs=(
        Sign(r"^Version: +VyOS (?!1\.[012])"),
        Sign(r"^Welcome to VyOS", GREETING, sure=False),
    ),
    commands=(
        Command(line="show configuration commands | no-more", filename="configuration.set", min_bytes=100),
        # What the router starts with, and the form that `load` takes. It ends with the version that wrote it.
        Command(
            line="cat /config/config.boot",
            filename="config.boot",
            complete_when=r"^(?://|/\*) Release version: ",
            optional=True,
        ),
    ),
    restore=Restore(
        way="candidate",
        note="Copy config.boot to the router, `configure`, `load FILE`, `compare`, `commit-confirm 5`, `confirm`, "
        "`save`. configuration.set is for picking single settings back: its lines only add.",
        procedure=Procedure(
            source="config.boot",
            shows="configuration.set",
            path="/tmp/{file}",  # noqa: S108  (on the router)  # nosec B108
            by="sftp",
            load=(Line("configure"), Line("load /tmp/{file}", expect="Load complete")),
            discard=(Line("exit discard"),),
            commit=(Line("commit-confirm {minutes}", answers=((r"Proceed ?\?", "y"),)),),
            confirm=(Line("configure"), Line("confirm"), Line("exit")),
            save=(Line("configure"), Line("save"), Line("exit")),
            back_to="saved",
            settles=300.0,  # it restarts
            refusals=(
                r"^[ \t]*(?:Commit|Set|Delete) failed",
                r"^[ \t]*(?:Failed to parse|Can ?not open)",
                r"^[ \t]*No confirm pending",
            ),
            undone="Without confirmation the router restarts with the configuration that was saved before.",
            not_undone="The restart interrupts everything that passes the router. Keys and certificates that are files "
            "are not part of the text.",
        ),
    ),
    verified="recording",
    source="VyOS 1.4 on x86; config.boot and the restore from VyOS' documentation",
    comment="#",
    secrets=(
        r"(?P<keep>\b(?:(?:encrypted-|plaintext-)?password|passphrase|secret|pre-shared-secret"
        r"|shared-secret(?: \S+ key)?|private-key|preshared-key|private key|md5-key|plaintext-key|shared-secret-key"
        r"|cak|wep key|otp key|token|cisco-authentication) )"
        rf"(?!(?:encrypted|plaintext)-password ){_VALUE}",
        r"(?P<keep>^set .{0,200}\b(?:radius|tacacs|api keys id \S+|authentication)\b(?! public-keys).{0,200} key )"
        rf"{_VALUE}",
        rf"(?P<keep>^set protocols nhrp tunnel \S+ authentication ){_VALUE}",
        rf"(?P<keep>^set service snmp (?:.{{0,200}} )?community ){_VALUE}",
        # The same in config.boot, where only the section says what a community or a key is.
        Section(begins=r"^(?P<in> +)snmp \{", ends=r"^(?P=in)\}", secrets=(rf"(?P<keep>\bcommunity ){_VALUE}",)),
        Section(
            begins=r"^(?P<in> +)(?:radius|tacacs|keys|private) \{",
            ends=r"^(?P=in)\}",
            secrets=(rf"(?P<keep>^ +key ){_VALUE}",),
        ),
    ),
    refusals=(
        r"^[ \t]*(?:Invalid command|Configuration path .* is not valid|vbash: )",
        r"^cat: .*: (?:No such file|Permission denied)",
    ),
    ansi=True,  # its pager decorates even what it does not stop
    save=("save",),
)
