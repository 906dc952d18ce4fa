"""Telnet (RFC 854), for devices that have nothing better: everything goes over the network in clear.

The terminal behind it is read by the same `Wire` as an SSH session. Every option but echo and going ahead is refused,
so that what comes is what the device says.
"""

from __future__ import annotations

from time import monotonic

from backups.errors import CommandRefused, DeadlineExceeded, LoginRefused, NoPrompt
from backups.ssh_link import PIECE, DeviceSocket, place_of
from backups.ssh_reading import like_a_prompt
from backups.ssh_wire import Wire
from backups.transport import Target

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
ECHO, GO_AHEAD = 1, 3
GREETED_WITHIN = 15.0  # seconds of silence before and within the login dialogue
QUESTIONS = 12
_USER = (b"username:", b"user name:", b"login:", b"user:", b"login as:")
_PASSWORD = (b"password:", b"passcode:")


class TelnetChannel:
    """The terminal's bytes, without telnet's own."""

    closed = False
    transport = None  # there are no further channels

    def __init__(self, link: DeviceSocket) -> None:
        self._link = link
        self._patience = 0.0
        self._raw = b""  # the beginning of a command whose end is still to come
        self._ahead = b""

    def settimeout(self, timeout: float | None) -> None:
        """Seconds that `recv` may take."""
        self._patience = timeout or 0.0

    def recv(self, nbytes: int) -> bytes:
        """Bytes; empty when the device has hung up. Raises TimeoutError."""
        until = monotonic() + self._patience
        while not self._ahead:
            try:
                said = self._link.recv_within(PIECE, until - monotonic())
            except TimeoutError:
                if monotonic() >= until:
                    raise
                continue
            except (OSError, EOFError):
                said = b""
            if not said:
                self.closed = True
                return b""
            self._ahead = self._plain(said)
        piece, self._ahead = self._ahead[:nbytes], self._ahead[nbytes:]
        return piece

    def recv_ready(self) -> bool:
        """Whether `recv` would return at once with bytes."""
        if not self._ahead and not self.closed:
            try:
                said = self._link.recv_within(PIECE, 0.0)
            except (OSError, EOFError):  # nothing yet, or nothing any more, which `recv` finds out
                return False
            self._ahead = self._plain(said)
        return bool(self._ahead)

    def sendall(self, data: bytes) -> None:
        """Send. Raises OSError when the device has hung up."""
        data = data.replace(bytes([IAC]), bytes([IAC, IAC]))
        until = monotonic() + max(self._patience, 1.0)
        while data:
            try:
                data = data[self._link.send(data) :]
            except TimeoutError:
                if monotonic() >= until:
                    raise
            except EOFError as exc:
                raise ConnectionError from exc

    def _plain(self, said: bytes) -> bytes:
        """Without telnet's commands, which are answered."""
        raw, plain, answers = self._raw + said, bytearray(), bytearray()
        while (start := raw.find(IAC)) >= 0 and (end := self._command_end(raw, start)) > 0:
            command = raw[start:end]
            plain += raw[:start] + (bytes([IAC]) if command[1] == IAC else b"")
            answers += _answer(command)
            raw = raw[end:]
        if start < 0:
            plain, raw = plain + raw, b""
        else:
            plain, raw = plain + raw[:start], raw[start:]
        self._raw = raw
        if answers:
            self._link.send(bytes(answers))
        return bytes(plain).replace(b"\r\x00", b"\r")

    @staticmethod
    def _command_end(raw: bytes, start: int) -> int:
        """Where the command that begins there ends; -1 when its end has not come."""
        if len(raw) < start + 2:
            return -1
        if raw[start + 1] == SB:
            end = raw.find(bytes([IAC, SE]), start)
            return end + 2 if end >= 0 else -1
        if raw[start + 1] in (DO, DONT, WILL, WONT):
            return start + 3 if len(raw) >= start + 3 else -1
        return start + 2


def _answer(command: bytes) -> bytes:
    """Yes to its echo and to both talking at once, no to everything else."""
    if len(command) != 3:
        return b""
    verb, option = command[1], command[2]
    if verb == WILL:
        return bytes([IAC, DO if option in (ECHO, GO_AHEAD) else DONT, option])
    if verb == DO:
        return bytes([IAC, WILL if option == GO_AHEAD else WONT, option])
    return b""


class NoFiles:
    """What stands for files where there is no way to them."""

    def __init__(self, place: str) -> None:
        self._place = place

    def fetch(self, path: str) -> bytes:
        """Raises CommandRefused."""
        raise CommandRefused(f"{self._place} cannot give the file {path}: there are no files over telnet.")

    fetch_by_scp = fetch


def log_in(wire: Wire, target: Target) -> None:
    """Answer the questions up to the first prompt. Raises LoginRefused, LoginPaused, NoPrompt, DeadlineExceeded."""
    asked_user = asked_password = False
    refused = LoginRefused(f"{place_of(target)} refused user {target.username}; correct its credential.")
    for _ in range(QUESTIONS):
        line = _question(wire, target)
        if line.endswith(_PASSWORD):
            if asked_password:
                raise refused
            asked_password = True
            if target.doorman is not None:
                target.doorman.before_login()
            _say(wire, target.password)
        elif line.endswith(_USER):
            if asked_user:
                raise refused
            asked_user = True
            _say(wire, target.username)
        else:
            return
    raise NoPrompt(f"{place_of(target)} asks and asks; is it the device's telnet port?")


def _say(wire: Wire, text: str) -> None:
    wire.take()
    wire.forget_line()
    wire.say(text.encode())


def _question(wire: Wire, target: Target) -> bytes:
    """The line at which the device waits, in lower letters."""
    while True:
        line = wire.last_line.lower()
        if line.endswith((*_USER, *_PASSWORD)) or like_a_prompt(line):
            if not wire.pull(0.2):
                return line
        elif not wire.pull(GREETED_WITHIN):
            raise DeadlineExceeded(f"{place_of(target)} took the connection and asked for no login; check the port.")
