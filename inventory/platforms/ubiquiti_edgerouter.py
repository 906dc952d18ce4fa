"""Ubiquiti EdgeOS (EdgeRouter)."""

from inventory.platforms.sheet import Command, Platform, Restore, Section
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="ubiquiti_edgerouter",
    label="Ubiquiti EdgeOS (EdgeRouter)",
    netmiko_type="ubiquiti_edgerouter",
    signs=(
        Sign(r"^Welcome to EdgeOS", GREETING),
        Sign(r"^HW model: +(?:EdgeRouter|UniFi)"),
    ),
    commands=(
        # The form that `load` takes, with every secret. It ends with the version that wrote it.
        Command(
            line="cat /config/config.boot",
            filename="config.boot",
            complete_when=r"^(?://|/\*) Release version: ",
            min_bytes=200,
        ),
        Command(line="show configuration commands | no-more", filename="configuration.set", optional=True),
    ),
    restore=Restore(
        way="candidate",
        note="Copy config.boot to the router, `configure`, `load FILE`, `compare`, `commit-confirm 5`, `confirm`, "
        "`save`.",
    ),
    verified="recording",
    source="whole config.boot files of EdgeRouters with 1.10.7 to 1.10.11 (as published); the prompt, refusals and the "
    "restore from Ubiquiti's EdgeOS user guide and VyOS' documentation, as remembered",
    comment="/*",
    secrets=(
        r"(?P<keep>\b(?:(?:encrypted-|plaintext-)?password|passphrase|secret|pre-shared-secret|shared-secret|private-key"
        r"|preshared-key|md5-key|plaintext-key) )(?!(?:encrypted|plaintext)-password )(?:'[^'\n]*'"
        r"|\"[^\"\n]*\"|[^\s\"']+)",
        r"(?P<keep>^set service snmp (?:.{0,200} )?community )\S+",
        Section(begins=r"^(?P<in> +)snmp \{", ends=r"^(?P=in)\}", secrets=(r"(?P<keep>\bcommunity )[^\s{]+",)),
        Section(begins=r"^(?P<in> +)radius-server \S+ \{", ends=r"^(?P=in)\}", secrets=(r"(?P<keep>^ +key )\S+",)),
    ),
    refusals=(
        r"^[ \t]*(?:Invalid command|Configuration path .* is not valid|vbash: )",
        r"^cat: .*: (?:No such file|Permission denied)",
    ),
    ansi=True,
    save=("save",),
)
