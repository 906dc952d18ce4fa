"""Aruba Instant (IAP, and access points with a virtual controller)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="aruba_instant",
    label="Aruba Instant",
    netmiko_type="aruba_os",
    signs=(Sign(r"^ArubaOS \(MODEL: \d{2,3}\w?\)"),),
    commands=(
        # Instant ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(
            line="show running-config no-encrypt",
            filename="running.cfg",
            fallbacks=("show running-config",),
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="merge",
        note="Paste the lines in `configure terminal`, then `commit apply`; remove by hand what is too much. Passwords "
        "of administrators are hashes and go back as such.",
    ),
    verified="recording",
    source="Instant 8.10 on an AP-515, as published with Oxidized; the restore from Aruba's manuals, as remembered",
    comment="#",
    patience=60.0,
    secrets=(
        r"(?P<keep>^[ \t]*ap1x \S+ user \S+ )\S+",
        rf"(?P<keep>^ *(?:virtual-controller-key|wpa-passphrase|wep-key|bkup-passwords|key|ipsec) ){VALUE}",
        rf"(?P<keep>^ *hash-mgmt-user \S+ password \S+ ){VALUE}",
        rf"(?P<keep>^ *mgmt-user \S+ )(?!password[ \t]){VALUE}",
        rf"(?P<keep>^ *user \S+ ){VALUE}(?= (?:portal|radius)$)",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% (?:Parse|Invalid) "),
    ansi=True,
    save=("commit apply",),
)
