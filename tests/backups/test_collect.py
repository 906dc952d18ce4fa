"""One visit to a device: a good capture of all of it, a doubtful one, or an error. Never a good one of half."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from backups import ssh_wire
from backups.capture import stable
from backups.collect import Collected, collect, printable
from backups.errors import (
    CollectError,
    CommandRefused,
    DeadlineExceeded,
    HostKeyChanged,
    LinkLost,
    LoginRefused,
    NotSSH,
    OutputTooLarge,
)
from backups.netmiko_transport import NetmikoTransport
from backups.simulator import DeviceSpec, Fault, Fleet, slugs
from backups.simulator.device import Device
from backups.transport import Limits, Target
from inventory.platforms import registry
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore

BRIEF = Limits(deadline=20, connect=10, idle=2, max_bytes=400_000)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The devices here are quick: what only looks like a prompt is waited on for a shorter time."""
    monkeypatch.setattr(ssh_wire, "STRANGE_QUIET", 0.25)


def target_of(device: Device) -> Target:
    """A simulated device with its key pinned."""
    return Target(
        device.name, device.address, device.port, device.username, device.password,
        enable_secret=device.enable_secret, host_key=device.host_key,
    )  # fmt: skip


def collected(device: Device, *, slug: str = "", limits: Limits = BRIEF, **more: Any) -> Collected:
    """Collect a simulated device by the sheet of its platform, or by another."""
    platform = registry.platform(slug or device.platform)
    return collect(target_of(device), platform, transport=NetmikoTransport(), limits=limits, **more)


def main_file(platform: Platform) -> str:
    """The file that holds the running configuration."""
    return platform.commands[0].filename


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """One device of each platform that can be simulated and has a sheet."""
    known = {platform.slug for platform in registry.platforms()}
    with Fleet([DeviceSpec(slug) for slug in slugs() if slug in known], seed=11) as fleet:
        yield fleet


@pytest.fixture(params=slugs())
def device(request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[Device]:
    """Each of them in turn, well again afterwards."""
    found = [device for device in fleet if device.platform == request.param]
    if not found:
        pytest.skip(f"no sheet for {request.param} yet")
    yield found[0]
    found[0].set_faults()


def test_a_good_capture_is_the_whole_configuration(device: Device) -> None:
    """What is kept is what can be put back: all of it, and nothing of the terminal."""
    platform = registry.platform(device.platform)

    capture = collected(device).capture

    assert capture.doubts == ()
    shown = device.running_config_output.encode("latin-1")
    assert stable(platform, capture.files[main_file(platform)]).strip() == stable(platform, shown).strip()


def test_two_visits_to_an_unchanged_device_have_one_digest(device: Device) -> None:
    """Else every backup would make a version, whatever the device did."""
    assert collected(device).capture.digest == collected(device).capture.digest


def test_a_slow_device_is_only_slow(device: Device) -> None:
    """Late pieces must not be taken for the end."""
    first = collected(device).capture
    device.set_faults(Fault("slow", seconds=0.05))

    assert collected(device).capture.digest == first.digest


def test_a_prompt_inside_the_configuration_ends_nothing(device: Device) -> None:
    """A description or banner that shows the prompt is the oldest way to lose half a configuration."""
    device.set_faults("lookalike")

    capture = collected(device).capture

    platform = registry.platform(device.platform)
    shown = device.running_config_output.encode("latin-1")
    assert stable(platform, capture.files[main_file(platform)]).strip() == stable(platform, shown).strip()


def test_a_device_that_goes_on_paging_is_read_to_the_end(device: Device) -> None:
    """Accounts without the right to turn paging off exist on every system."""
    first = collected(device).capture
    device.set_faults("sticky-pager")

    capture = collected(device).capture

    assert (capture.doubts, capture.digest) == ((), first.digest)


@pytest.mark.parametrize("fault", ["truncate", "garbage"])
def test_a_damaged_configuration_is_never_good(device: Device, fault: str) -> None:
    """Half a configuration, or one with a screen's rubbish in it, put back is worse than none."""
    sizes = {name: len(content) for name, content in collected(device).capture.files.items()}
    device.set_faults(fault)

    try:
        capture = collected(device, last_good=sizes).capture
    except CollectError:
        return
    assert not capture.good


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("drop", LinkLost),
        ("refuse-login", LoginRefused),
        ("endless", OutputTooLarge),
        ("hostkey", HostKeyChanged),
        ("invalid", CommandRefused),
        ("silent", NotSSH),
    ],
)
def test_a_fault_ends_as_its_own_error(device: Device, fault: str, error: type[CollectError]) -> None:
    """Who has to mend it must not guess; and a link that ends is never waited for."""
    target, platform = target_of(device), registry.platform(device.platform)
    limits = replace(BRIEF, connect=0.3) if fault == "silent" else BRIEF
    device.set_faults(fault)

    with pytest.raises(error) as caught:
        collect(target, platform, transport=NetmikoTransport(), limits=limits)

    assert device.name in str(caught.value)


def test_a_hanging_device_is_given_up(fleet: Fleet) -> None:
    """One thread must not be lost for each device that hangs."""
    fleet[0].set_faults("hang")

    with pytest.raises(DeadlineExceeded):
        collected(fleet[0], limits=Limits(deadline=0.6))

    fleet[0].set_faults()


def test_many_devices_at_once_do_not_meet(fleet: Fleet) -> None:
    """Threads share the libraries and nothing else."""
    digests = {device.name: collected(device).capture.digest for device in fleet}

    with ThreadPoolExecutor(50) as pool:
        again = list(pool.map(lambda device: (device.name, collected(device).capture.digest), list(fleet) * 10))

    assert all(digests[name] == digest for name, digest in again)


# What collect() itself decides; the network is not there


@dataclass
class Said:
    """A transport whose one device has answers and files."""

    answers: Mapping[str, bytes]
    files: Mapping[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    host_key: str = "ssh-ed25519 AAAA"

    @contextmanager
    def open(self, _target: Target, _platform: Platform, _limits: Limits) -> Iterator[Said]:
        """The device."""
        yield self

    def run(self, line: str) -> bytes:
        """An answer."""
        self.asked.append(line)
        return self.answers.get(line, b"\x07% Invalid input at '\x1b[1m^\x1b[0m' marker.\r\n" + b"x" * 200)

    def fetch(self, path: str) -> bytes:
        """A file."""
        if path not in self.files:
            raise CommandRefused("there is none")
        return self.files[path]


CONFIG = b"hostname edge1\r\ninterface Vlan1\r\nend\r\n"
EDGE = Target("edge1", "192.0.2.1", 22, "admin", password="x")


def sheet(*commands: Command, files: tuple[RemoteFile, ...] = ()) -> Platform:
    """A sheet of these."""
    return Platform(
        slug="tried", label="Tried", netmiko_type="cisco_ios", commands=commands, files=files,
        restore=Restore("none", "for a test"), verified="none", source="a test", refusals=(r"^.?% Invalid input",),
    )  # fmt: skip


def test_a_refused_command_has_fallbacks() -> None:
    """RouterOS 6 does not know what RouterOS 7 needs to show its secrets."""
    said = Said({"/export": CONFIG})
    platform = sheet(Command("/export show-sensitive", "a.cfg", fallbacks=("/export", "/never")))

    capture = collect(EDGE, platform, transport=said).capture

    assert said.asked == ["/export show-sensitive", "/export"]
    assert capture.good


def test_an_optional_command_may_be_refused() -> None:
    """A model without VLANs has no list of VLANs."""
    platform = sheet(Command("show run", "a.cfg"), Command("show vlan", "vlan.txt", optional=True))

    capture = collect(EDGE, platform, transport=Said({"show run": CONFIG})).capture

    assert (capture.good, set(capture.files)) == (True, {"a.cfg"})


def test_a_refused_command_is_named_with_the_devices_words() -> None:
    """Wrong platform or too few rights: the device's own words tell which, its control bytes do not."""
    with pytest.raises(CommandRefused) as caught:
        collect(EDGE, sheet(Command("show run", "a.cfg")), transport=Said({}))

    text = str(caught.value)
    assert "'show run'" in text
    assert ".." not in text
    assert "% Invalid input" in text
    assert text.isprintable()
    assert caught.value.worth_retrying is False


def test_a_devices_words_are_cut_and_cleaned() -> None:
    """They end on pages and in mails."""
    assert printable("\x1b[2J% Invalid\x00 input\n") == "% Invalid input"
    assert len(printable("x" * 500)) == 80


def test_files_are_fetched_and_may_be_missing() -> None:
    """A device without the file has no trouble; a required one that is missing is one."""
    optional, needed = RemoteFile("/a.bin", "a.bin"), RemoteFile("/b.bin", "b.bin", optional=False)
    said = Said({"show run": CONFIG}, files={"/b.bin": b"\x00\xff"})

    capture = collect(EDGE, sheet(Command("show run", "a.cfg"), files=(optional, needed)), transport=said).capture

    assert capture.good
    assert capture.files["b.bin"] == b"\x00\xff"
    with pytest.raises(CommandRefused):
        collect(EDGE, sheet(files=(RemoteFile("/c", "c", optional=False),)), transport=said)


def test_the_size_of_the_last_good_version_is_a_witness() -> None:
    """A configuration that lost most of its lines is looked at before it becomes the latest."""
    platform = sheet(Command("show run", "a.cfg"))

    capture = collect(EDGE, platform, transport=Said({"show run": CONFIG}), last_good={"a.cfg": 5000}).capture

    assert [doubt.cause for doubt in capture.doubts] == ["shrunk"]
