"""Eaton Gigabit Network Card (Network-M2 and M3)."""

from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="eaton_network",
    label="Eaton Gigabit Network Card",
    netmiko_type="generic",
    signs=(Sign(r"Eaton (?:Gigabit )?Network", GREETING),),
    commands=(
        # One document in one line. Without the passphrase that `-p` names, the card leaves the secrets out.
        Command(line="save_configuration", filename="configuration.json", complete_when=r"^\{.*\}\s*$", min_bytes=200),
    ),
    restore=Restore(
        way="file",
        note="On the card's web page, under Maintenance, restore the document; or `restore_configuration` over SSH. "
        "Passwords are not in it and have to be set again.",
    ),
    verified="recording",
    source="A Network-M3 with 2.2, as published with Oxidized, for the form of the document; that the card needs no "
    "passphrase is from Eaton's manual, as remembered",
    comment="#",
    patience=90.0,
    volatile=(
        r"(?P<keep>\"cyphered\":)\"[^\"\n]*\"",  # encrypted anew each time it is asked
        r"(?P<keep>\"attemptLogin\":)\{[^{}\n]*\}",
        r"(?P<keep>\"passphrase\":)\"[^\"\n]*\"",
    ),
    secrets=(
        r"(?P<keep>\"key\":\")[^\"\n]+",
        r"(?P<keep>\"(?:cyphered|ciphered|passphrase|community)\":\")[^\"\n]+",
        r"(?P<keep>\"read(?:Only|Write)\":\{\"name\":\")[^\"\n]+",
        r"(?P<keep>\"history\":\[)[^\]\n]+",
    ),
    refusals=(r"^[ \t]*(?:Unknown command|command not found|Permission denied)",),
)
