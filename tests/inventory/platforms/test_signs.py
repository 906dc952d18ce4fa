"""Which system it is, from what it says of itself."""

from __future__ import annotations

import pytest

from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.signs import GREETING, SSH, USUAL, Known, Sign, next_question, proposals

KNOWN = [Known(sheet.slug, sheet.label, sheet.signs) for sheet in read_catalogue(None).sheets.values()]

# How such systems introduce themselves, in the vendors' words.
INTRODUCTIONS = [
    ("apc_aos", GREETING, "Schneider Electric         Network Management Card AOS     v2.5.0.8\n"),
    ("arista_eos", USUAL, "Arista DCS-7050SX3-48YC8-F\nHardware version: 11.02\n"),
    ("ciena_saos", GREETING, "SAOS is True Carrier Ethernet TM software.\nWelcome to the shell.\n"),
    ("cisco_asa", USUAL, "\nCisco Adaptive Security Appliance Software Version 9.12(4)67 \n"),
    ("cisco_ftd", USUAL, "Model  : Cisco Firepower 1010 Threat Defense (78) Version 7.4.2\n"),
    ("cisco_ios", USUAL, "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 12.2(55)SE\n"),
    ("cisco_nxos", USUAL, "Cisco Nexus Operating System (NX-OS) Software\n"),
    ("cisco_s300", USUAL, "Active-image: flash://system/images/image_c1300_4.1.9.85.bin\n  Version: 4.1.9.85\n"),
    ("cisco_xr", USUAL, "Cisco IOS XR Software, Version 7.5.2\n"),
    (
        "cisco_wlc",
        "show sysinfo",
        "Manufacturer's Name..... Cisco\nProduct Name..................... Cisco Controller\n",
    ),
    ("dlink_ds", "show switch", "Command: show switch\n\nDevice Type       : DGS-3200-10 Gigabit Ethernet Switch\n"),
    ("eltex", USUAL, "Active-image: flash://system/images/mes3300-4016-5R1.ros\n  Version: 4.0.16.5\n"),
    ("extreme_exos", USUAL, "Image   : ExtremeXOS version 31.7.1.4 by release-manager\n"),
    ("fortinet", "get system status", "Version: FortiGate-60F v7.2.5,build1517,230606 (GA.F)\n"),
    ("fortinet_fortimanager", "get system status", "Platform Type : FMG-VM64\nVersion : v7.2.2\n"),
    ("hp_comware", "display version", "HPE Comware Software, Version 7.1.070, Release 3507\n"),
    ("huawei_vrp", "display version", "VRP (R) software, Version 5.170 (S5735 V200R019C10)\n"),
    ("huawei_vrpv8", "display version", "VRP (R) software, Version 8.180 (CE6850 V200R005C10)\n"),
    ("ipinfusion_ocnos", GREETING, "OcNOS version UFI_S9500-30XS-OcNOS-4.2.194-SP_CSR-S0-P0  07/24/2021\n"),
    ("juniper_junos", USUAL, "Hostname: edge1\nModel: mx204\nJunos: 21.4R3.15\n"),
    ("mikrotik_routeros", SSH, "ROSSSH"),
    ("nokia_sros", USUAL, "TiMOS-C-20.10.R5 cpm/hops64 Nokia 7750 SR Copyright (c) 2000-2021 Nokia.\n"),
    ("opnsense", GREETING, "|      Hello, this is OPNsense 23.7          |\n"),
    ("paloalto_panos", "show system info", "hostname: pa-1\nsw-version: 10.2.4\n"),
    ("zyxel_os", USUAL, "Current ZyNOS version: V4.70(ABMM.1) | 11/18/2021\n"),
    ("vyos", USUAL, "Version:          VyOS 1.4.0\n"),
    ("vyatta_vyos", USUAL, "Version:          VyOS 1.1.8\n"),
    ("linux", "uname -a", "Linux web1 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 x86_64 GNU/Linux\n"),
]


@pytest.mark.parametrize(("slug", "where", "text"), INTRODUCTIONS)
def test_a_system_that_names_itself_is_the_only_sure_proposal(slug: str, where: str, text: str) -> None:
    """A wrong platform that is offered as sure is worse than none: somebody will take it."""
    assert [found.slug for found in proposals(KNOWN, {where: text}) if found.sure] == [slug]


def test_nothing_more_is_asked_of_a_device_that_is_known() -> None:
    """Every question is another line in the device's log."""
    assert next_question(KNOWN, {SSH: "ROSSSH"}) is None


def test_the_first_question_to_a_stranger_is_the_one_that_most_systems_understand() -> None:
    """A question that few understand wastes a try on most."""
    assert next_question(KNOWN, {SSH: "OpenSSH_9.2", GREETING: "r1#"}) == "show version"


def test_a_hint_decides_what_is_asked_next() -> None:
    """A device whose SSH server says HUAWEI need not be asked what only Cisco understands."""
    assert next_question(KNOWN, {SSH: "HUAWEI-1.5"}) == "display version"


@pytest.mark.parametrize(
    ("refusal", "question"),
    [
        ("CLINFR0329  Invalid command:'show version'.\n", "show version all"),
        ("Incorrect usage.  Use the '?' or <TAB> key to list commands.\n", "show sysinfo"),
        ('Syntax Error: unexpected argument "version"\n', "show sys version"),
        ("-------------^\nError: Bad command\n", "show system-info"),
        ("Command: show version\n\nNext possible completions:\n", "show switch"),
    ],
)
def test_how_a_device_says_no_decides_what_is_asked_next(refusal: str, question: str) -> None:
    """Only so many questions are asked, and each of these is understood by one system alone."""
    assert next_question(KNOWN, {SSH: "OpenSSH_7.8", GREETING: "gw1>", USUAL: refusal}) == question


def test_a_device_that_has_answered_everything_is_asked_nothing_more() -> None:
    """The questions end, however strange the device."""
    known = [Known("acme", "Acme", (Sign(r"^Acme OS"), Sign(r"^acme", "about")))]

    assert next_question(known, {USUAL: "", "about": ""}) is None


def test_a_proposal_quotes_the_device() -> None:
    """A person decides on the evidence, not on our word."""
    (found,) = proposals(KNOWN, {SSH: "ROSSSH"})

    assert found.because == "its SSH server is 'ROSSSH'"
