"""The plan of a restore: what it says, what it warns of, and when there must be none. No device anywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoints.plan import Plan, make_plan
from checkpoints.plan_checks import Processed, fit_to_load
from checkpoints.session_risks import MAX_DEPTH, changed_lines, paths, risks
from checkpoints.settings_of import settings_of
from inventory.errors import BadPlatformSheet
from inventory.platforms import registry
from inventory.platforms.masking import MASK, mask
from inventory.platforms.procedure import Line
from inventory.platforms.sheet import Platform

HEAD = "Building configuration...\n\nCurrent configuration : 812 bytes\n!\n! Last configuration change at 12:00 by ada\n!\n"
IOS = (
    "version 17.9\n!\nhostname edge1\n!\narchive\n path flash:archive\n!\n"
    "username ada privilege 15 secret 9 $9$abcdefgh\n!\n"
    "interface GigabitEthernet0/0\n description uplink\n ip address 192.0.2.1 255.255.255.0\n!\n"
    "ip scp server enable\n!\nsnmp-server community s3cret RO\n!\nline vty 0 4\n transport input ssh\n!\nend\n"
)


def plan(now: str, then: str, *, slug: str = "cisco_ios", file: str = "running.cfg", **how: object) -> Plan:
    """The plan from one text to another."""
    options = {"name": "netcairn-1", "minutes": 5, **how}
    return make_plan(
        registry.platform(slug),
        current={file: now.encode()},
        target={file: then.encode()},
        **options,  # type: ignore[arg-type]
    )


def test_the_plan_says_exactly_what_is_said_to_the_device() -> None:
    """Somebody agrees to these lines, and to no others."""
    made = plan(IOS.replace("uplink", "changed"), HEAD + IOS)

    assert made.commands == (
        f"(upload {len(IOS) + 4} bytes to flash:/netcairn-1.cfg by SCP)",
        "verify /md5 flash:netcairn-1.cfg",
        "configure replace flash:netcairn-1.cfg force time 5",
        "(a new session reads the configuration back and compares it with the version)",
        "configure confirm",
        "write memory",
        "delete /force flash:netcairn-1.cfg",
    )
    assert made.can_be_pushed and made.undone and made.not_undone


def test_a_version_of_which_only_the_processed_text_is_kept_says_so() -> None:
    """Whoever agrees must know that the device never said this text; and its own state must be known as it said it."""
    changed = IOS.replace("uplink", "changed")
    target, state, other = (
        plan(changed, IOS, processed=processed)
        for processed in (
            Processed(then=frozenset({"running.cfg"})),
            Processed(now=frozenset({"running.cfg"})),
            Processed(then=frozenset({"startup.cfg"}), now=frozenset({"hardware.txt"})),
        )
    )

    assert target.can_be_pushed and "what is put back is the processed text" in target.warnings[0]
    assert not state.can_be_pushed and "keep the raw capture too" in state.obstacles[0]
    assert other.can_be_pushed and other.fingerprint == plan(changed, IOS).fingerprint != target.fingerprint


def test_who_puts_a_file_back_by_hand_is_told_to_take_the_original() -> None:
    """Nothing is sent there, so the name of the file is all that the plan can do."""
    sheet = registry.platform("mikrotik_routeros")
    sheet, file = replace(sheet, restore=replace(sheet.restore, procedure=None)), sheet.filenames[0]
    made = [
        make_plan(sheet, current={file: b"a"}, target={file: b"b"}, name="n", minutes=5, processed=processed)
        for processed in (Processed(raw=frozenset({file})), Processed(then=frozenset({file})))
    ]

    assert any(f"{file}.raw" in line for line in made[0].by_hand) and not made[0].warnings
    assert "processed text" in made[1].warnings[0] and not any(".raw" in line for line in made[1].by_hand)


def test_a_device_whose_state_was_stored_without_its_secrets_is_not_touched() -> None:
    """Nobody could tell afterwards whether a change was undone: the state before is not known."""
    made = plan(mask(registry.platform("cisco_ios"), IOS), IOS.replace("uplink", "changed"))

    assert not made.can_be_pushed
    assert "stored with its secrets masked" in made.obstacles[0]


def test_what_the_device_only_prints_is_not_sent_back_to_it() -> None:
    """`Current configuration : 812 bytes` is no command, and a clock's old drift is no setting."""
    loaded = fit_to_load(registry.platform("cisco_ios"), f"{HEAD}{IOS}ntp clock-period 17179860\n".encode())

    assert loaded.decode() == "!\n!\n" + IOS


@given(st.text(alphabet="ab !\n", max_size=60))
def test_nothing_but_whole_volatile_lines_is_left_out(text: str) -> None:
    """A byte too few in what is loaded is a setting removed from a device."""
    loaded = fit_to_load(registry.platform("cisco_ios"), text.encode())

    assert loaded.strip(b"\n") == text.encode().strip(b"\n")


def test_the_fingerprint_is_of_everything_that_matters() -> None:
    """Device, version, sheet or a single line: another plan."""
    platform = registry.platform("cisco_ios")
    now, then = IOS.replace("uplink", "changed"), IOS
    made = plan(now, then)

    others = [
        plan(now.replace("edge1", "edge2"), then),
        plan(now, then.replace("edge1", "edge2")),
        plan(now, then, minutes=6),
        plan(now, then, name="netcairn-2"),
        make_plan(
            with_line(platform, "write memory", "copy running-config startup-config"),
            current={"running.cfg": now.encode()}, target={"running.cfg": then.encode()}, name="netcairn-1", minutes=5,
        ),
    ]  # fmt: skip
    assert len({made.fingerprint, *(other.fingerprint for other in others)}) == 1 + len(others)
    again = [plan(HEAD.replace("12:00", clock) + now, HEAD + then).fingerprint for clock in ("13:00", "14:00")]
    assert again[0] == again[1]  # only volatile lines differ on the device


def with_line(platform: Platform, old: str, new: str) -> Platform:
    """The sheet with another line to save."""
    procedure = platform.restore.procedure
    assert procedure
    (line,) = procedure.save
    assert line.text == old
    changed = replace(procedure, save=(replace(line, text=new),))
    return replace(platform, restore=replace(platform.restore, procedure=changed))


@pytest.mark.parametrize(
    ("line", "changed", "warning"),
    [
        ("hostname edge1", "hostname edge2", "name changes"),
        (" transport input ssh", " transport input telnet", "lines or services"),
        ("secret 9 $9$abcdefgh", "secret 9 $9$zzzzzzzz", "Users or their passwords"),
        ("ip scp server enable", "ip scp server enable\naaa new-model", "AAA"),
        ("ip scp server enable", "ip scp server enable\nip access-list standard X\n 10 permit any", "filter"),
        ("ip scp server enable", "ip scp server enable\ncrypto key zeroize", "Keys, certificates"),
        ("ip scp server enable", "ip scp server enable\nip route 0.0.0.0 0.0.0.0 192.0.2.9", "the way to it"),
        (" description uplink", " description other", "by which the device is reached"),
    ],
)
def test_what_could_cut_the_session_is_warned_of(line: str, changed: str, warning: str) -> None:
    """The engineer decides, having seen it."""
    assert line in IOS
    made = plan(IOS.replace(line, changed), IOS, address="192.0.2.1")

    assert any(warning in each for each in made.warnings), made.warnings
    assert not any("$9$" in each for each in made.warnings)  # secrets decide, and are not shown


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (
            "set interfaces ethernet eth0 address '192.0.2.1/24'\nset interfaces ethernet eth0 mtu '1500'\n",
            "set interfaces ethernet eth0 address '192.0.2.1/24'\n",
        ),
        (
            "interfaces {\n    ge-0/0/0 {\n        disable;\n        unit 0 {\n            address 192.0.2.1/24;\n",
            "interfaces {\n    ge-0/0/0 {\n        unit 0 {\n            address 192.0.2.1/24;\n",
        ),
    ],
)
def test_the_interface_by_which_the_device_is_reached_is_found_everywhere(now: str, then: str) -> None:
    """In lines that say all of it, and in sections within sections."""
    (found, *_), *_ = risks(now, then, address="192.0.2.1")

    assert "192.0.2.1" in found
    assert risks(now, then, address="192.0.2.10") == []


def test_what_cuts_nothing_is_not_warned_of() -> None:
    """A page full of warnings is read by nobody."""
    assert plan(IOS.replace("uplink", "other"), IOS, address="198.51.100.1").warnings == ()


def test_a_warning_cannot_steer_the_terminal_that_it_is_read_on() -> None:
    """Its words are a device's."""
    (warning,) = plan(IOS.replace("hostname edge1", "hostname \x1b[2Jedge\x00"), IOS).warnings

    assert "\\x1b[2Jedge\\x00" in warning and "\x1b" not in warning


def test_what_the_device_lacks_for_the_way_back_is_said() -> None:
    """Found out on paper, not by a refused line."""
    made = plan(IOS.replace("ip scp server enable\n!\n", "").replace(" path flash:archive\n", ""), IOS)

    assert [each for each in made.warnings if each.startswith("Set ")] == [
        "Set `ip scp server enable`, or the device does not take the file.",
        "Set a `path` below `archive`, or the device has no timer.",
    ]


@pytest.mark.parametrize(
    "secret", [f"snmp-server community {MASK} RO", "snmp-server community ****** RO", "key 7 <removed>", f"x {MASK}"]
)
def test_a_version_with_masked_secrets_is_refused(secret: str) -> None:
    """The asterisks would become the device's passwords."""
    made = plan(IOS, IOS.replace("snmp-server community s3cret RO", secret))

    assert not made.can_be_pushed
    assert "masked (line 16 of running.cfg)" in made.obstacles[0]


def test_a_banner_of_asterisks_is_no_masked_secret() -> None:
    """People draw boxes."""
    drawn = IOS.replace("line vty", "banner motd ^C\n*****************\n* keep out ***\n^C\nline vty")

    assert plan(IOS, drawn).can_be_pushed


@given(st.sampled_from(sorted(IOS.splitlines())))
def test_our_own_masking_is_always_recognised(line: str) -> None:
    """What was exported masked can never come back as a version."""
    platform = registry.platform("cisco_ios")
    masked = mask(platform, IOS)
    assert MASK in masked

    assert not plan(IOS.replace(line, "! gone"), masked).can_be_pushed


def test_a_device_that_runs_the_version_needs_no_restore() -> None:
    """Headers, times and drift apart."""
    made = plan(HEAD.replace("12:00", "13:00") + IOS, HEAD + IOS)

    assert made.obstacles == ("The device already runs this version: there is nothing to put back.",)


def test_a_version_without_the_file_that_goes_back_is_refused() -> None:
    """Of another system, perhaps."""
    made = make_plan(
        registry.platform("cisco_ios"), current={"running.cfg": b"x"}, target={"a.conf": b"y"}, name="n", minutes=5
    )

    assert made.obstacles == ("The version has no running.cfg, from which this system is restored.",)
    assert made.commands == ()


def test_a_system_without_a_procedure_is_put_back_by_hand() -> None:
    """The plan is then a list for a person, and nothing can be pushed."""
    restore = replace(registry.platform("mikrotik_routeros").restore, procedure=None)
    router = replace(registry.platform("mikrotik_routeros"), restore=restore)
    made = make_plan(router, current={"export.rsc": b"/a\n"}, target={"export.rsc": b"/b\n"}, name="n", minutes=5)

    assert not made.can_be_pushed
    assert "take export.rsc" in made.commands[0]
    assert any("run-after-reset=export.rsc" in line for line in made.commands)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"source": "none.cfg"}, "which no capture has"),
        ({"commit": (Line("configure replace flash:{flie}"),)}, "words in braces"),
        ({"refusals": ("(",)}, "no regular expression"),
        ({"save": (Line("write\nmemory"),)}, "one line"),
    ],
)
def test_a_sheet_that_would_fail_half_way_is_refused(wrong: dict[str, object], sentence: str) -> None:
    """Not when it is needed, but when it is read."""
    platform = registry.platform("cisco_ios")
    procedure = platform.restore.procedure
    assert procedure

    with pytest.raises(BadPlatformSheet, match=sentence):
        replace(platform, restore=replace(platform.restore, procedure=replace(procedure, **wrong)))


SET = "set interfaces loopback lo\nset system host-name 'edge1'\nset system login banner 'Keep out, \"you\"'\n"
BOOT = (
    'interfaces {\n    loopback lo {\n    }\n}\nsystem {\n    host-name "edge1"\n    login {\n'
    '        banner \'Keep out, "you"\'\n    }\n}\n\n// vyos-config-version: "x"\n// Release version: 1.4.3\n'
)


def vyos(now: tuple[str, str], then: tuple[str, str]) -> Plan:
    """The plan of a VyOS router; each side is what runs, and what is saved."""
    sides = [{"configuration.set": runs.encode(), "config.boot": saved.encode()} for runs, saved in (now, then)]
    return make_plan(registry.platform("vyos"), current=sides[0], target=sides[1], name="netcairn-1", minutes=5)


def test_vyos_loads_what_was_saved_only_if_that_is_what_ran() -> None:
    """config.boot is the file that can be loaded, configuration.set the one that shows what ran."""
    other = SET.replace("edge1", "edge2"), BOOT.replace("edge1", "edge2")

    assert vyos(other, (SET, BOOT)).can_be_pushed
    assert "nobody had saved" in vyos(other, (SET, other[1])).obstacles[0]


def test_vyos_must_be_saved_before_it_can_go_back_to_what_was_saved() -> None:
    """Its timer restarts it; what was not saved would be lost by a restore that failed."""
    made = vyos((SET.replace("edge1", "edge2"), BOOT), (SET.replace("edge1", "edge3"), BOOT.replace("edge1", "edge3")))

    assert "Save it on the device" in made.obstacles[0]


def test_braces_and_set_lines_say_the_same() -> None:
    """Two forms of one configuration."""
    assert settings_of(SET.encode()) == settings_of(BOOT.encode())
    assert ("system", "login", "banner", 'Keep out, "you"') in settings_of(BOOT.encode())


@given(st.lists(st.tuples(st.integers(0, 200), st.text("ab/!}{ ", max_size=4)), max_size=80))
def test_hostile_indentation_costs_little(lines: list[tuple[int, str]]) -> None:
    """A device decides what its text looks like."""
    text = "\n".join(" " * depth + words for depth, words in lines)

    assert all(len(path) <= MAX_DEPTH + 1 for path in paths(text))
    assert changed_lines(text, text) == []
