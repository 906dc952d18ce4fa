"""The state behind the prompt: what configuration mode changes, and what it refuses. No network in here."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.simulator import Clock, Device, DeviceSpec, EditRefused, Fault, FaultDraw, slugs
from backups.simulator.console import Console
from tests.backups.simulator.sessions import console

RENAME = {
    "cisco_ios": (["hostname other"], ["hostname sim-ios-0001"]),
    "arista_eos": (["hostname other"], ["hostname sim-eos-0001"]),
    "juniper_junos": (["set system host-name other"], ["set system host-name sim-junos-0001"]),
    "mikrotik_routeros": (["/system identity set name=other"], ["/system identity set name=sim-ros-0001"]),
    "vyos": (["set system host-name other"], ["set system host-name sim-vyos-0001"]),
    "cisco_xr": (["hostname other"], ["hostname sim-xr-0001"]),
    "cisco_nxos": (["hostname other"], ["hostname sim-nxos-0001"]),
    "aruba_aoscx": (["hostname other"], ["hostname sim-cx-0001"]),
}
REFUSED_LINE = {
    "cisco_ios": ("ntp server 192.0.2.1", "ntp server"),
    "arista_eos": ("ntp server 192.0.2.1", "ntp server"),
    "juniper_junos": ("set system ntp server 192.0.2.1", "system ntp"),
    "mikrotik_routeros": ("/system ntp client servers add address=192.0.2.1", "/system ntp"),
    "vyos": ("set service ntp server 192.0.2.1", "service ntp"),
    "cisco_xr": ("ntp server 192.0.2.1", "ntp server"),
    "cisco_nxos": ("ntp server 192.0.2.1", "ntp server"),
    "aruba_aoscx": ("ntp server 192.0.2.1", "ntp server"),
}
EVERY_PLATFORM = pytest.mark.parametrize("platform", slugs())


def device(platform: str, **spec: object) -> Device:
    return Device(DeviceSpec(platform, **spec))


def typed(shell: Console, *lines: str) -> str:
    """What the device says to the lines, all together."""
    return "".join(shell.enter(line).text for line in lines)


@EVERY_PLATFORM
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), size=st.integers(1_000, 40_000))
def test_a_generated_configuration_is_in_the_order_of_the_device(platform: str, seed: int, size: int) -> None:
    """Otherwise the first edit would move lines that nobody touched."""
    fresh = Device(DeviceSpec(platform, size=size), seed=seed)

    assert fresh.persona.render(fresh.persona.parse(fresh.running)) == fresh.running
    assert size <= len(fresh.running) < size + 8_000


@EVERY_PLATFORM
def test_configurations_and_host_keys_are_the_same_at_each_start(platform: str) -> None:
    """A fleet that is started again must find its pinned keys and its history valid."""
    one, again, other = (Device(DeviceSpec(platform), index=index, seed=5) for index in (1, 1, 2))

    assert (one.running_config, one.host_key) == (again.running_config, again.host_key)
    assert one.running_config != other.running_config
    assert one.host_key != other.host_key


@EVERY_PLATFORM
def test_an_edit_changes_one_line_and_its_opposite_restores_the_text(platform: str) -> None:
    """A test of a diff or a restore needs devices that neither lose nor move anything else."""
    there, back = RENAME[platform]
    subject = device(platform)
    before = subject.running_config

    subject.edit(there)
    changed = subject.running_config
    subject.edit(back)

    assert sum(a != b for a, b in zip(before.splitlines(), changed.splitlines(), strict=True)) == 1
    assert subject.running_config == before


@EVERY_PLATFORM
def test_an_edit_shows_in_the_prompt_but_not_in_the_startup_configuration(platform: str) -> None:
    """The difference of the two is what a backup of both must show."""
    subject = device(platform)
    saved = subject.startup_config

    subject.edit(RENAME[platform][0])

    assert subject.hostname == "other"
    assert "other" in subject.prompt
    assert (subject.startup_config == saved) is not subject.persona.saves_itself


@EVERY_PLATFORM
def test_nonsense_is_refused_in_the_words_of_the_vendor(platform: str) -> None:
    """A backup that takes a refusal for a configuration is the worst there is."""
    words = {
        "cisco_ios": "% Invalid input detected at '^' marker.",
        "arista_eos": "% Invalid input",
        "juniper_junos": "unknown command.",
        "mikrotik_routeros": "bad command name frobnicate (line 1 column 1)",
        "vyos": "Invalid command: [frobnicate]",
        "cisco_xr": "% Invalid input detected at '^' marker.",
        "cisco_nxos": "% Invalid command at '^' marker.",
        "aruba_aoscx": "Invalid input: frobnicate",
    }
    reply = console(device(platform)).enter("frobnicate the device")

    assert reply.refused
    assert words[platform] in reply.text


@EVERY_PLATFORM
def test_no_line_breaks_a_console(platform: str) -> None:
    """Whatever is typed, in either mode, gets an answer."""
    for line in (
        "terminal length many",
        'set system "',
        "|",
        "show version | include (",
        "/",
        "\x1b[A",
        "no",
        "commit",
    ):
        shell = console(device(platform))
        assert isinstance(typed(shell, line, "configure", line, line), str), line


@EVERY_PLATFORM
def test_an_edit_that_is_refused_says_so(platform: str) -> None:
    """A test must not go on with a change that never happened."""
    with pytest.raises(EditRefused, match="frobnicate"):
        device(platform).edit(["frobnicate the device"])


@EVERY_PLATFORM
def test_the_fault_refuse_line_refuses_that_line_only(platform: str) -> None:
    """A restore has to notice the one line that did not go in."""
    line, start = REFUSED_LINE[platform]
    subject = device(platform, faults=(Fault("refuse-line", line=start),))
    shell = subject.persona.console(subject, "admin", subject.draw_faults())
    shell.at_console()
    script = subject.persona.edit_script([line, *RENAME[platform][0]])

    assert [shell.enter(each).refused for each in script] == [each == line for each in script]


@EVERY_PLATFORM
def test_the_fault_accept_and_ignore_takes_lines_and_changes_nothing(platform: str) -> None:
    """Only reading back finds this out."""
    subject = device(platform, faults=("accept-and-ignore",))
    before = subject.running_config
    shell = subject.persona.console(subject, "admin", subject.draw_faults())
    shell.at_console()

    refused = [shell.enter(line).refused for line in subject.persona.edit_script(RENAME[platform][0])]

    assert not any(refused)
    assert subject.running_config == before


@EVERY_PLATFORM
def test_the_fault_lookalike_puts_the_prompt_into_the_configuration_and_takes_it_out(platform: str) -> None:
    """A reader that stops at the first thing like a prompt loses the rest."""
    subject = device(platform)
    before, prompt = subject.running_config, subject.prompt

    subject.set_faults("lookalike")
    assert prompt in subject.running_config.replace("\\\n    ", "")
    subject.set_faults()
    assert subject.running_config == before


@EVERY_PLATFORM
def test_two_looks_differ_in_volatile_lines_only(platform: str) -> None:
    """Volatile lines must not count as a change, so there have to be some."""
    subject = device(platform)
    clock: Clock = subject.clock
    first = subject.running_config_output
    clock.advance(3600)
    second = subject.running_config_output

    assert subject.running_config == subject.running_config
    if platform in ("cisco_ios", "mikrotik_routeros"):
        assert first != second


# IOS


def test_ios_forgets_a_line_with_no_and_shows_what_is_off() -> None:
    """`no` removes a line, and some absences are printed."""
    subject = device("cisco_ios")
    subject.edit(["interface Vlan10", "no description", "no ip address", "exit", "no snmp-server contact"])

    section = subject.running_config.split("interface Vlan10\n")[1].split("!\n")[0]
    assert section.startswith(" no ip address\n")
    assert "description" not in section
    assert "snmp-server contact" not in subject.running_config


def test_ios_leaves_a_section_by_itself_when_a_line_belongs_outside() -> None:
    """Pasted configurations have no `exit` between sections."""
    subject = device("cisco_ios")
    subject.edit(["interface Vlan99", "ip address 192.0.2.1 255.255.255.0", "router bgp 65001", "vlan 99", "name new"])

    assert "interface Vlan99\n ip address 192.0.2.1 255.255.255.0\n" in subject.running_config
    assert "vlan 99\n name new\n" in subject.running_config


def test_ios_does_not_remove_physical_ports() -> None:
    """As on a real switch, so that a restore plan that tries is found out."""
    with pytest.raises(EditRefused):
        device("cisco_ios").edit(["no interface GigabitEthernet1/0/1"])


def test_ios_takes_a_banner_of_many_lines() -> None:
    """A banner sent line by line has to arrive in one piece, whatever its end sign."""
    subject = device("cisco_ios")
    subject.edit(["banner motd #first", "second", "third#", "hostname after"])

    assert "banner motd ^C\nfirst\nsecond\nthird\n^C\n" in subject.running_config
    assert subject.hostname == "after"


def test_ios_asks_for_the_enable_secret_three_times() -> None:
    """A wrong secret must end in an answer and not in a hanging session."""
    subject = device("cisco_ios", enable_secret="s3cret")
    shell = subject.persona.console(subject, "admin", FaultDraw(None))
    shell.greet()
    assert typed(shell, "enable", "wrong", "wrong", "wrong") == "% Bad secrets\n\n"
    assert shell.enter("show running-config").refused
    typed(shell, "enable", "s3cret")
    assert not shell.enter("show running-config").refused


def test_ios_asks_before_it_copies_and_deletes() -> None:
    """The questions that scripts forget."""
    subject = device("cisco_ios")
    subject.edit(RENAME["cisco_ios"][0])
    shell = console(subject)

    assert "[OK]" in typed(shell, "copy running-config startup-config", "")
    assert "hostname other" in subject.startup_config
    typed(shell, "copy running-config flash:kept.cfg", "")
    assert "kept.cfg" in typed(shell, "dir")
    typed(shell, "delete flash:kept.cfg", "", "")
    assert subject.files == {}


def test_ios_replaces_its_configuration_from_flash_and_keeps_it_when_confirmed() -> None:
    """The native way back, with every line of the target and none besides."""
    subject = device("cisco_ios")
    target = subject.running_config
    subject.edit(["hostname other", "vlan 99", "name extra", "no router bgp 1"])
    subject.files["target.cfg"] = target.encode()
    shell = console(subject)

    assert "Rollback Done" in typed(shell, "configure replace flash:target.cfg force time 10")
    assert typed(shell, "configure confirm") == ""
    subject.clock.advance(3600)
    assert subject.running_config == target
    assert "No Rollback" in typed(shell, "configure confirm")


def test_ios_reverts_a_replace_when_told() -> None:
    """Going back need not wait for the timer."""
    subject = device("cisco_ios")
    before = subject.running_config
    subject.files["target.cfg"] = before.replace("hostname sim", "hostname new").encode()
    shell = console(subject)

    typed(shell, "configure replace flash:target.cfg force time 10", "configure revert now")
    assert subject.running_config == before


def test_a_replace_names_the_lines_that_it_could_not_apply() -> None:
    """Half applied is what IOS does, and what the reader must notice."""
    subject = device("cisco_ios")
    subject.files["target.cfg"] = (subject.running_config + "frobnicate all\n").encode()

    said = typed(console(subject), "configure replace flash:target.cfg force")

    assert "Rollback aborted after 5 passes" in said
    assert "frobnicate all" in said


# EOS


def test_eos_changes_nothing_before_a_session_is_committed() -> None:
    """And forgets it all on abort."""
    subject = device("arista_eos")
    before = subject.running_config
    shell = console(subject)

    typed(shell, "configure session one", "hostname other")
    assert "-hostname sim-eos-0001\n+hostname other\n" in typed(shell, "show session-config diffs")
    typed(shell, "abort")
    assert subject.running_config == before


@pytest.mark.parametrize(("confirmed", "name"), [(False, "sim-eos-0001"), (True, "other")])
def test_eos_takes_a_session_back_unless_it_is_confirmed_in_time(confirmed: bool, name: str) -> None:
    """A replace that cuts the device off has to end by itself."""
    subject = device("arista_eos")
    target = subject.running_config.replace("hostname sim-eos-0001", "hostname other")
    shell = console(subject)

    typed(shell, "configure session one", "rollback clean-config", *target.splitlines()[:-1], "commit timer 00:05:00")
    assert subject.running_config == target
    if confirmed:
        typed(shell, "configure session one commit")
    subject.clock.advance(300)
    assert subject.hostname == name


# Junos


def test_junos_shows_what_a_commit_would_change_and_goes_back_by_number() -> None:
    """The candidate, the comparison and the old versions belong together."""
    subject = device("juniper_junos")
    before = subject.running_config
    shell = console(subject)

    compared = typed(shell, "configure", "set system host-name other", "show | compare")
    assert "[edit system]\n-  host-name sim-junos-0001;\n+  host-name other;\n" in compared
    assert subject.running_config == before
    typed(shell, "commit")
    assert subject.hostname == "other"
    typed(shell, "rollback 1", "commit")
    assert subject.running_config == before


@pytest.mark.parametrize(("confirmed", "name"), [(False, "sim-junos-0001"), (True, "other")])
def test_junos_takes_a_commit_back_unless_another_follows_in_time(confirmed: bool, name: str) -> None:
    """`commit confirmed` is the safety net of every restore on Junos."""
    subject = device("juniper_junos")
    shell = console(subject)

    said = typed(shell, "configure", "set system host-name other", "commit confirmed 5")
    assert "automatically rolled back in 5 minutes" in said
    if confirmed:
        typed(shell, "commit")
    subject.clock.advance(300)
    assert (subject.hostname, f"host-name {name};" in subject.running_config) == (name, True)


@pytest.mark.parametrize("how", ["override", "set"])
def test_junos_loads_a_whole_configuration_from_the_terminal(how: str) -> None:
    """Up to Ctrl-D, as text or as `set` lines."""
    subject = device("juniper_junos")
    target = subject.running_config
    subject.edit(["delete protocols", "set snmp location elsewhere", "set system host-name other"])
    shell = console(subject)

    lines = target.splitlines() if how == "override" else [*subject.persona.as_set(target).splitlines()]
    typed(shell, "configure", f"load {how} terminal", *lines)
    assert "load complete" in shell.press("\x04").text
    typed(shell, "commit")
    assert subject.running_config == target


def test_junos_refuses_a_text_that_it_cannot_read() -> None:
    """And leaves the candidate as it was."""
    subject = device("juniper_junos")
    shell = console(subject)

    typed(shell, "configure", "load override terminal", "system {", "    host-name broken")
    assert "load complete (1 errors)" in shell.press("\x04").text
    assert typed(shell, "show | compare") == ""


# RouterOS


def test_routeros_hides_secrets_unless_told_otherwise() -> None:
    """The default export looks complete and cannot be restored."""
    subject = device("mikrotik_routeros")
    shell = console(subject)

    assert "private-key=" not in typed(shell, "/export")
    assert "private-key=" in typed(shell, "/export show-sensitive")


def test_routeros_adds_sets_and_removes_entries() -> None:
    """Changes take effect at once."""
    subject = device("mikrotik_routeros")
    subject.edit(["/ip address add address=192.0.2.1/24 interface=ether1", "/snmp set contact=me"])
    assert "add address=192.0.2.1/24 interface=ether1\n" in subject.running_config
    assert "set contact=me enabled=yes\n" in subject.running_config
    subject.edit(["/ip address remove [find address=192.0.2.1/24]"])
    assert "192.0.2.1" not in subject.running_config


def test_routeros_starts_again_from_a_script() -> None:
    """The only native replace it has; the connection ends with it."""
    subject = device("mikrotik_routeros")
    target = subject.running_config
    subject.files["target.rsc"] = target.encode()
    subject.edit(["/ip address add address=192.0.2.1/24 interface=ether1", "/system identity set name=other"])
    shell = console(subject)

    typed(shell, "/system reset-configuration no-defaults=yes run-after-reset=target.rsc", "y")
    assert shell.closed
    assert subject.running_config == target


def test_routeros_backups_differ_each_time_and_can_be_loaded() -> None:
    """Which is why they are no evidence of a change."""
    subject = device("mikrotik_routeros")
    target = subject.running_config
    shell = console(subject)

    typed(shell, "/system backup save name=one dont-encrypt=yes", "/system backup save name=two dont-encrypt=yes")
    assert subject.files["one.backup"] != subject.files["two.backup"]
    subject.edit(["/system identity set name=other"])
    typed(shell, "/system backup load name=one.backup", "y")
    assert subject.running_config == target


# VyOS


def test_vyos_falls_back_to_what_was_saved_unless_confirmed_in_time() -> None:
    """The router restarts, so even older unsaved changes are gone."""
    subject = device("vyos")
    saved = subject.startup_config
    subject.edit(["set service snmp location unsaved"])
    shell = console(subject)

    typed(shell, "configure", "set system host-name other", "commit-confirm 5", "y")
    assert subject.hostname == "other"
    subject.clock.advance(300)
    assert subject.running_config == saved
