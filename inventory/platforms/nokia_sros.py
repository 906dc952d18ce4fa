"""Nokia SR OS."""

from inventory.platforms.idioms import VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="nokia_sros",
    label="Nokia SR OS",
    netmiko_type="nokia_sros",
    signs=(Sign(r"^TiMOS-[A-Z]"),),
    commands=(
        # The classic command line's; the model-driven one refuses it, and has a name of its own.
        Command(
            line="admin display-config",
            filename="config.cfg",
            complete_when=r"^(?:# Finished |\}\s*$)",
            fallbacks=("admin show configuration", "//admin display-config"),
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="candidate",
        note="Copy the file to cf3:. Model-driven: `edit-config exclusive`, `load full-replace cf3:/FILE`, `compare`, "
        "`commit confirmed 5`, `commit confirmed accept`. Classic: name it as the primary-config in the BOF and "
        "reboot.",
    ),
    verified="recording",
    source="TiMOS 26.3 on an SR-1 with MD-CLI (beginning, end, form, as published); the classic command line and the "
    "restore from Nokia's command references, as remembered",
    comment="#",
    patience=120.0,
    volatile=(r"^# (?:Generated|Finished|Last modified) ",),
    secrets=(
        r"(?P<keep>[ \t])\"[^\"\n]+\"(?=[ \t]+(?:hash2?|custom)\b)",  # so only a secret is written
        rf"(?P<keep>\bauthentication (?:hash )?(?:md5|sha\S{{0,8}}|hmac-\S{{1,20}}) )(?!privacy\b){VALUE}",
        rf"(?P<keep>^[ \t]*(?:password|secret|authentication-key|community|auth-key|pre-shared-key"
        rf"|hello-authentication-key|encryption-key|md5|(?:hash|hmac)\S* authentication|privacy-key) )"
        rf"(?!\{{|\S+ members ){VALUE}",
        rf"(?P<keep>^[ \t]*message-digest-key \d+ md5 ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:server \d+ address \S+ secret|authentication (?:md5|sha|hmac-\S+) )){VALUE}",
        rf"(?P<keep>\bprivacy (?:des|aes-\S+|cfb128-aes-\S+) ){VALUE}",
    ),
    refusals=(r"^[ \t]*(?:Error: |MINOR: |MAJOR: |CRITICAL: )",),
    pager=(r"^Press any key to continue \(Q to quit\)",),
    ansi=True,
    save=("admin save",),
)
