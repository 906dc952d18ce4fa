"""What was said in a session, kept for the case that it fails: bounded, and without secrets.

Secrets are taken out in three ways. What is typed where a password is asked for is never taken down. The secrets of
the credential are struck out wherever they stand. And what the device said is masked as its platform's texts are;
because a mask may need the lines before, far more is kept than is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from backups.errors import CollectError
from backups.transport import Target
from inventory.host_keys import fingerprint
from inventory.platforms.masking import mask
from inventory.platforms.sheet import Platform

KEPT = 48 * 1024  # bytes of a session that are kept, the newest
SLACK = 12 * 1024  # bytes more until the oldest go: a hundred sessions keep theirs at a time
SHOWN_LINES = 120
SHOWN = 16 * 1024  # characters of a transcript
HIDDEN = "********"
_ASKS_FOR_SECRET = re.compile(rb"(?i)(?:password|passphrase|passcode|secret|pin|enable)[^\n]{0,40}[:>?]\s*$")
_CONTROL = re.compile(r"[^\n -~\xa0-\xff]")
_SENT = "\x00>"  # no device's bytes are told apart from ours by anything that a device could say


class Transcript:
    """One session's."""

    def __init__(self, target: Target, platform: Platform) -> None:
        self._platform = platform
        secrets = (target.password, target.enable_secret, target.passphrase)
        # As the session shows them, where each byte is a character.
        self._secrets = sorted({text.encode().decode("latin-1") for text in secrets if text}, key=len, reverse=True)
        through = "".join(f" through {hop.name}" for hop in target.hops)
        way = "telnet" if target.telnet else "SSH"
        with_what = "a key" if target.private_key else "a password"
        self._head = [f"{way} to {target.address} port {target.port}{through} as {target.username} with {with_what}"]
        self._said = bytearray()
        self._dropped = 0

    def heard(self, said: bytes) -> None:
        """The device said something."""
        self._said += said.replace(b"\x00", b"")
        if len(self._said) > KEPT + SLACK:
            self._dropped += len(self._said) - KEPT
            del self._said[:-KEPT]

    def sent(self, keys: bytes, *, asked: bytes) -> None:
        """We did, after this last line of the device's."""
        typed = keys.rstrip(b"\r\n")
        shown = HIDDEN.encode() if typed and _ASKS_FOR_SECRET.search(asked) else typed
        self._said += b"\n\x00>" + (shown or b"RETURN") + b"\n"

    def note_server(self, host_key: str, identification: str) -> None:
        """Who answered."""
        if identification:
            self._head.append(f"server {identification}")
        if host_key:
            self._head.append(f"host key {fingerprint(host_key)}")

    @contextmanager
    def of_failure(self) -> Iterator[None]:
        """Hand the transcript to the error that ends the block."""
        try:
            yield
        except CollectError as error:
            error.transcript = error.transcript or self.text(str(error))
            raise

    def text(self, ending: str = "") -> str:
        """All of it that may be shown."""
        said = bytes(self._said[-KEPT:])
        cut = self._dropped or len(self._said) > KEPT
        if cut:
            said = said[said.find(b"\n") + 1 :]
        # Struck out before masking and after: a mask may cut a secret in two, and a secret may hide what is masked.
        text = self._struck(said.decode("latin-1").replace("\r", ""))
        text = self._struck(mask(self._platform, text))
        lines = [_line(line) for line in text.split("\n")]
        shown = lines[-SHOWN_LINES:]
        left_out = len(lines) - len(shown)
        head = self._struck("\n".join(_CONTROL.sub("?", line) for line in self._head))
        before = [f"[{left_out} lines before]"] if left_out or cut else []
        body = "\n".join(before + shown).strip("\n")
        return f"{head}\n\n{body[-SHOWN:]}\n\n{self._struck(ending)}".strip() + "\n"

    def _struck(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


def _line(line: str) -> str:
    """One line as people read it; what would steer a screen is written out."""
    line = line.replace(_SENT, "> ")
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), line)
