"""Alcatel-Lucent Enterprise AOS (OmniSwitch)."""

from inventory.platforms.idioms import TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="alcatel_aos",
    label="Alcatel-Lucent Enterprise AOS (OmniSwitch)",
    netmiko_type="alcatel_aos",
    signs=(Sign(r"^ +Description: +Alcatel-Lucent", "show system"), Sign(r"^ERROR: Invalid entry: ", sure=False)),
    commands=(
        # AOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show configuration snapshot", filename="snapshot.cfg", min_bytes=100),
    ),
    restore=Restore(
        way="file",
        note="Copy the file to /flash/working as vcboot.cfg (AOS 6: boot.cfg) and `reload from working "
        "rollback-timeout 5`: the switch goes back to the certified directory unless `copy running certified` "
        "comes in time. Local accounts are not part of the text.",
    ),
    verified="recording",
    source="the whole snapshot of an OS6560 with AOS 8 (as published in another tool's samples); refusals and the "
    "restore from the OmniSwitch AOS Release 8 CLI Reference Guide, as remembered",
    secrets=(
        rf"(?P<keep>^snmp community[- ]map (?:hash-key )?)(?!mode\b){VALUE}",
        rf"(?P<keep>^aaa (?:radius|tacacs\+?|ldap)-server .{{0,200}}? (?:hash-key|key|password) ){VALUE}",
        rf"(?P<keep>^snmp station .{{0,200}} v3 .{{0,200}} key {TYPE}){VALUE}",
        rf"(?P<keep>^ip (?:ospf|rip|bgp) .{{0,200}} (?:md5 \d+ key|md5-key|auth-key|password) ){VALUE}",
        rf"(?P<keep>^ip (?:ospf|rip|bgp) .{{0,200}} md5 \d+ )(?!key |enable\b|disable\b){VALUE}",
        rf"(?P<keep>^[ \t]*appmgr .{{0,200}} -P ){VALUE}",  # the password beside -U or -u
        rf"(?P<keep>^user \S+ .{{0,200}}?password(?:-hash)? ){VALUE}",
    ),
    refusals=(r"^[ \t]*ERROR: ",),
    save=("write memory",),
)
