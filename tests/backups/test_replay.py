"""Recorded sessions of real devices, replayed over real SSH: banners, prompts, pagers and line ends as they were.

The recordings lie beside the project where there are any; they are data to test against and no part of it. Replaying
needs PyYAML.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from backups.capture import Capture
from backups.collect import collect
from backups.errors import CollectError
from backups.netmiko_transport import NetmikoTransport
from backups.transport import Limits, Target
from inventory.platforms import registry
from inventory.platforms.masking import mask
from inventory.platforms.sheet import Platform
from tests.sampling import sampled

REPLAY = Path(__file__).parents[3] / "shared" / "replay"
SESSIONS = REPLAY / "sessions"
FILES = sorted(path.name for path in SESSIONS.glob("*simulation.yaml"))

pytestmark = [
    pytest.mark.replay,
    pytest.mark.skipif(not FILES, reason="there are no recorded sessions beside the project"),
]

LIMITS = Limits(deadline=60, connect=5, idle=4)

# The recordings' names for systems, and ours.
SLUGS = {
    "aoscx": "aruba_aoscx",
    "asa": "cisco_asa",
    "cumulus": "cumulus_linux",
    "eos": "arista_eos",
    "firelinuxos": "cisco_ftd",
    "fortigate": "fortinet",
    "h3c": "hp_comware",
    "ios": "cisco_ios",
    "ironware": "ruckus_fastiron",
    "junos": "juniper_junos",
    "netgear": "netgear_prosafe",
    "nxos": "cisco_nxos",
    "opnsense": "opnsense",
    "pfsense": "pfsense",
    "routeros": "mikrotik_routeros",
    "saos10": "ciena_saos10",
    "tnsr": "netgate_tnsr",
    "tplink": "tplink_jetstream",
    "vyos": "vyos",
}
# The replay looks for an empty line before it looks for a pager's key, and so answers a space with the prompt.
TAKES_SPACE_FOR_EMPTY = "if not cmd.strip():"
KNOWS_THE_SPACE = 'if not cmd.strip() and not (cmd == " " and self.left.get(cmd)):'
# Words behind which a secret stands, and what those who recorded a device wrote in place of one.
TELLING = re.compile(
    r"(?i)A{5,}B{5,}|\bredacted|\b(?:secret|password|passwd|community|psk|pre-shared-key|key)\b[ =:\"]+\S"
)
HARMLESS = re.compile(
    r"\(masked\)|password encryption|local-key|ssh-key|<password/>|emix|plaintext-password'$|key chain"
    r"|public-key|PRIVATE KEY-----"
)
NO_CONFIGURATION = re.compile(r"^\s*$|^(?:Building|Current) configuration|^[\x1b\r ]*$")
ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>])")
MORE = re.compile(rb"--\s*more\s*--", re.IGNORECASE)


@dataclass(frozen=True)
class Recording:
    """One recorded device and the port on which it answers."""

    model: str
    file: str
    port: int

    @property
    def target(self) -> Target:
        """Any user and password is let in."""
        return Target(self.file, "127.0.0.1", self.port, "netcairn", password="recorded", enable_secret="recorded")

    @cached_property
    def answers(self) -> list[tuple[str, str]]:
        """What was said and what came back, in order."""
        import yaml

        said = yaml.safe_load((SESSIONS / self.file).read_text("utf-8", errors="replace"))["commands"]
        pairs = said.items() if isinstance(said, dict) else [pair for step in said for pair in step.items()]
        return [(_plain(line).strip("\r\n"), _plain(answer or "")) for line, answer in pairs]

    @property
    def prompt(self) -> str:
        """The last line of the last answer that ends like a prompt."""
        ends = (re.split(r"[\r\n]", ESCAPE.sub("", answer))[-1].strip() for _, answer in self.answers)
        return next((end for end in ends if re.search(r"^(?!</).*[#>$%]$", end)), "no prompt in the recording")

    def lines_of(self, line: str) -> list[bytes]:
        """The configuration lines of the answer to a command, pages joined."""
        text, going = "", False
        for said, answer in self.answers:
            if said == line:
                text, going = text + answer, True
            elif going and said == " ":
                text += "\n" + re.sub(r"^(?:\r *\r|\x08+ *\x08+)", "", answer)
            else:
                going = False
        body = re.split(r"\r*\n\r?", ESCAPE.sub("", text))
        kept = (one.strip("\r") for one in body[1 if body[0].strip() == line else 0 :])
        prompt = self.prompt
        return [
            one.encode()
            for one in kept
            if not NO_CONFIGURATION.match(one) and not one.strip().startswith(prompt) and not MORE.search(one.encode())
        ]


def _plain(text: str) -> str:
    """The escapes that the recordings write out."""
    known = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "e": "\x1b", '"': '"', "\\": "\\", "#": "#"}
    pattern = r"\\(x[0-9A-Fa-f]{2}|.)"
    return re.sub(
        pattern, lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" and len(m[1]) == 3 else known.get(m[1], m[1]), text
    )


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Recording]]:
    """Every recording, served on a port of its own."""
    pytest.importorskip("yaml", reason="replaying recorded sessions needs PyYAML")
    with served(tmp_path_factory.mktemp("replay")) as recordings:
        yield recordings


@contextmanager
def served(folder: Path) -> Iterator[dict[str, Recording]]:
    """The recordings by file name, while they are served."""
    manifest, program = folder / "manifest.json", folder / "replay.py"
    program.write_text((REPLAY / "replay_ssh.py").read_text().replace(TAKES_SPACE_FOR_EMPTY, KNOWS_THE_SPACE))
    first = str(_free_ports(len(list(SESSIONS.iterdir()))))
    command: list[str | Path] = [sys.executable, program, SESSIONS, manifest, "--first-port", first]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline(), "the replay did not start"
        told = json.loads(manifest.read_text())
        yield {one["file"]: Recording(one["model"], one["file"], one["port"]) for one in told}
        process.terminate()


def _free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody listens on."""
    for first in range(23_000, 32_000, 100):
        try:
            for port in range(first, first + count):
                with socket.socket() as tried:
                    tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    tried.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


def collected(recording: Recording, platform: Platform) -> Capture:
    """What a sheet makes of a recorded device."""
    return collect(recording.target, platform, transport=NetmikoTransport(), limits=LIMITS).capture


@pytest.mark.parametrize("file", FILES)
def test_a_recorded_device_comes_back_whole(file: str, recordings: dict[str, Recording]) -> None:
    """Every configuration line that the device once said, and nothing of its terminal."""
    recording = recordings[file]
    platform = registry.platform(SLUGS[recording.model])

    capture = collected(recording, platform)

    assert capture.doubts == ()
    assert_whole(recording, platform, capture)
    assert secrets_shown(platform, capture) == []


def assert_whole(recording: Recording, platform: Platform, capture: Capture) -> None:
    """A good capture has every line of what the recording answered to one of the sheet's own commands."""
    for command in platform.commands:
        content = capture.files.get(command.filename)
        if content is None:
            continue
        have = set(content.replace(b"\r", b"").split(b"\n"))
        candidates = [recording.lines_of(said) for said, _ in recording.answers if _same_command(said, command.lines)]
        if candidates:
            missing = min(([one for one in lines if one not in have] for lines in candidates), key=len)
            assert missing == [], f"{recording.file}: {command.filename}"
        said = recording.prompt.encode()
        assert said not in content, f"{recording.file}: the prompt is in {command.filename}"
        assert b"\x1b" not in content, f"{recording.file}: an escape is in {command.filename}"
        assert not MORE.search(content), f"{recording.file}: the pager is in {command.filename}"
        assert content.split(b"\n")[0].decode("latin-1") not in command.lines, f"{recording.file}: an echo"


def secrets_shown(platform: Platform, capture: Capture) -> list[str]:
    """Lines of the masked files that still look as if they told a secret."""
    masked = [mask(platform, content.decode("latin-1")).split("\n") for content in capture.files.values()]
    return [line for lines in masked for line in lines if TELLING.search(line) and not HARMLESS.search(line)]


def _same_command(said: str, lines: tuple[str, ...]) -> bool:
    """Whether a recorded command is one of a sheet's, with any filter or option behind it."""
    bare = said.split("|", maxsplit=1)[0].strip()
    return any(bare and bare == line.split("|")[0].strip() for line in lines)


@pytest.mark.parametrize("file", sampled(FILES, sorted(FILES)[::4]))
def test_a_wrong_sheet_makes_no_good_capture_of_half_a_device(file: str, recordings: dict[str, Recording]) -> None:
    """Somebody picks the wrong platform: what is called good then must at least be all that the device says."""
    recording, platform = recordings[file], registry.platform("cisco_ios")
    try:
        capture = collected(recording, platform)
    except CollectError:
        return
    if capture.good:
        assert_whole(recording, platform, capture)
