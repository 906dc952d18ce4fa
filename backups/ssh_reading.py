r"""What a terminal session says, without any I/O: which line is a prompt, which a pager's, and what the answer is.

A configuration may hold anything: prompts, pagers' prompts, escape sequences, bytes that are no text. So nothing is
recognised in the middle of an answer. A prompt counts only as the last line, without a line end; a pager's prompt
only where the device then waits; and only what is known to be the terminal's own is taken out.
"""

from __future__ import annotations

import re
from enum import Enum

TAIL = 2048  # bytes in which a last line is looked for: prompts and pagers are short, even with their escape sequences
ECHO_WITHIN = 4096  # bytes in which the echo of a command is looked for

ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Z]|[=>78DEMc])")
_LINE_END = re.compile(rb"\n|\x1bE")
_OVERWRITTEN = re.compile(rb"[^\x08]\x08")
_PROMPT_LIKE = re.compile(
    rb"\S.{0,118}[>#$%\])~]|[>#$%]"
    rb"|\[[^\]\s]{1,80}\]\[[^\]\s]{1,80}\]\S{0,80}:|Enter an option:"  # pfSense: its shell, and its menu
    rb"|Select Menu Number \[[\d-]{1,7}\]:"  # Sophos Firewall
)
_NUMBER = re.compile(rb"\d+")
_CONTEXT = re.compile(
    rb"\{[\w:]+\}|\[[^\]\r\n]*\]"
)  # the first line of a two-line prompt: Junos clusters, SR OS, edit mode

# Cursor, erase and mode sequences; neither colours nor the clearing of a screen, which a banner may hold.
_PLACING = rb"\x1b(?:\[\??[0-9;]*[ABCDHKJLhlr]|[=>])"
_PLAIN = rb"\x1b\[0?m"  # "no colour any more": pagers say it at the end of every line
_EDGE_START = re.compile(rb"\A(?:\r?(?:" + _PLACING + rb"|" + _PLAIN + rb"))+\r?")
_EDGE_END = re.compile(rb"(?:" + _PLACING + rb"|" + _PLAIN + rb")+[\r ]*\Z")
_LESS = re.compile(rb"\x1b\[\?1h|\x1b=")
_DECORATION = re.compile(rb"(?m)" + _PLAIN + rb"(?=\r*$)|^(?:\r?" + _PLACING + rb")+(?:\r(?!\r*\n))?|" + _PLACING)

# As the vendors print them: what `more`, `less` and their like leave on the last line while they wait for a key.
_PAGER = re.compile(
    rb"(?i)[<(\-\s]*-{2,}\s*\(?more\b.*|<-+\s*more\s*-+>.*|--more--.*|\(more\).*"  # most of them
    rb"|.*\bpress\b.{1,24}\b(?:continue|more|next page)\b.*|.*\bspace\b.*\bnext page\b.*"  # TP-Link, D-Link, SR OS
    rb"|:|lines \d+-\d+.*"  # less
    rb"|-- \[Q quit\|.*"  # RouterOS
)
_PAGER_END = re.compile(rb"(?i)\(END\)|lines \d+-\d+.*\(END\)")
# After a key most pagers wipe their prompt from the line; the others leave it standing and go on below.
_LEFT_STANDING = re.compile(rb"\r*\n")
_WIPED = re.compile(rb"(?:\x08|\r(?!\n)|\x1b(?:\[[0-9;?]*[A-Za-z]|[=>])| +(?=\x08|\x1b|\r(?!\n)))+")


class Standing(Enum):
    """Where the end of what has come stands."""

    TALKING = "in the middle of it"
    PAGED = "a pager waits for a key"
    PAGER_ENDED = "a pager has shown all and waits to be left"
    PROMPT = "the prompt, exactly as it was"
    LIKE_PROMPT = "the prompt with other numbers or marks, or behind text without a line end"
    STRANGE = "something that could be a prompt"


def visible(line: bytes) -> bytes:
    """What a person would see of one line: without escape sequences, overwritten text and outer blanks."""
    if b"\x1b" in line:
        line = ESCAPE.sub(b"", line)
    line = line.rstrip(b"\r\x00 ")
    line = line[line.rfind(b"\r") + 1 :]
    while b"\x08" in line:
        line, changed = _OVERWRITTEN.subn(b"", line)
        if not changed:
            line = line.replace(b"\x08", b"")
    return line.replace(b"\x00", b"").replace(b"\x07", b"").strip(b" \t\r")


def last_line(said: bytes) -> bytes:
    """The visible part of what came after the last line end."""
    return visible(_LINE_END.split(said[-TAIL:])[-1])


def like_a_prompt(line: bytes) -> bool:
    """Whether a visible last line could be a prompt."""
    return _PROMPT_LIKE.fullmatch(line) is not None


def waits_for_us(line: bytes) -> bool:
    """Whether a device that stops at this visible line has said what it has to say: a prompt, or a question."""
    return like_a_prompt(line) or line.lower().endswith((b"password:", b"username:", b"login:"))


def same_prompt(one: bytes, other: bytes) -> bool:
    """Whether two prompts differ in nothing but a counter, a clock or a mark for unsaved changes.

    SR OS marks unsaved changes with `*`, EXOS counts its commands, others show the time.
    """
    return bool(one) and _without_counters(one) == _without_counters(other)


def _without_counters(prompt: bytes) -> bytes:
    return _NUMBER.sub(b"0", prompt.lstrip(b"*!+ "))


def is_echo(line: bytes, command: bytes, prompt: bytes) -> bool:
    """Whether a line that came is the command as the device shows it while it is typed, perhaps behind the prompt."""
    shown = visible(line)
    if not shown.endswith(command):
        return False
    before = shown[: -len(command)].rstrip()
    return not before or same_prompt(before, prompt) or like_a_prompt(before)


class Answer:
    """What comes after one line was said, piece by piece, until the prompt is back."""

    def __init__(self, line: bytes, prompt: bytes, pager: re.Pattern[bytes] | None = None) -> None:
        """`line` as it was sent, without line end; `prompt` as it is seen; `pager` knows the platform's own pager."""
        self.raw = bytearray()
        self._line, self._prompt, self._pager = line, prompt, pager
        self._start = 0  # after the echo
        self._looked = 0  # the lines before here are no echo
        self._pages: list[int] = []  # where a key was pressed for a pager
        self._paged_by = b""  # the pager's prompt
        self.echoed = False

    def feed(self, said: bytes) -> None:
        """Take what came."""
        self.raw += said
        while not self.echoed and self._looked < ECHO_WITHIN:
            end = self.raw.find(b"\n", self._looked)
            if end < 0:
                return
            line, self._looked = bytes(self.raw[self._looked : end]), end + 1
            if is_echo(line, self._line, self._prompt):
                self.echoed, self._start = True, self._looked

    def turn_page(self) -> None:
        """A key was pressed for the pager at the end."""
        self._paged_by = _without_counters(self.last_line)
        self._pages.append(len(self.raw))

    @property
    def last_line(self) -> bytes:
        """The visible part of what came after the last line end, behind the echo."""
        return last_line(bytes(self.raw[max(self._start, len(self.raw) - TAIL) :]))

    @property
    def paged_again(self) -> bool:
        """Whether the pager that was answered before waits again."""
        return bool(self._pages) and _without_counters(self.last_line) == self._paged_by

    @property
    def standing(self) -> Standing:
        """Where it stands now."""
        line = self.last_line
        if not line:
            return Standing.TALKING
        if self._prompt and line == self._prompt:
            return Standing.PROMPT
        if _PAGER_END.fullmatch(line):
            return Standing.PAGER_ENDED
        if _PAGER.fullmatch(line) or (self._pager and self._pager.search(line)):
            return Standing.PAGED
        if self._prompt and (same_prompt(line, self._prompt) or self._unended(line)):
            return Standing.LIKE_PROMPT
        return Standing.STRANGE if like_a_prompt(line) else Standing.TALKING

    def _unended(self, line: bytes) -> bool:
        """A file without a line end at its end has the prompt right behind it. Not with a prompt like `#`."""
        return len(self._prompt) > 2 and line.endswith(self._prompt)

    @property
    def cut_at_a_page(self) -> bool:
        """Whether the last key for a pager brought nothing but the prompt, and not even wiped the pager's own.

        A pager asks because there is more; one that shows nothing then did not understand the key.
        """
        if not self._pages or (
            _WIPED.match(self.raw, self._pages[-1]) and not _LEFT_STANDING.match(self.raw, self._pages[-1])
        ):
            return False
        return not self.raw[self._pages[-1] : self.raw.rfind(b"\n") + 1].strip()

    def last_line_is(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether the last line before the prompt that is not blank matches."""
        tail = bytes(self.raw[max(self._start, len(self.raw) - TAIL) :]).rstrip(b" ")
        lines = tail[: tail.rfind(b"\n") + 1].replace(b"\r", b"").rstrip(b"\n \t").rsplit(b"\n", 1)
        return bool(lines[-1]) and pattern.search(lines[-1]) is not None

    @property
    def suspicious(self) -> bool:
        """Whether a line in the middle looks like the prompt: then its coming again proves little."""
        end = self.raw.rfind(b"\n")
        return bool(self._prompt) and any(
            self.raw.find(start + self._prompt, self._start, max(end, 0)) >= 0 for start in (b"\n", b"\r")
        )

    def text(self, *, decorated: bool = False) -> bytes:
        """The answer: without echo, prompt, pagers and the terminal's own sequences.

        `decorated`: the platform dresses its answers, so that cursor movements are taken out everywhere.
        """
        # The usual case without the other's copies: of 16 MB each one counts.
        body = bytes(self._without_pages()) if self._pages else bytes(memoryview(self.raw)[self._start :])
        body = _drop_echoes(body, self._prompt + self._line)
        body = self._without_prompt(body)
        return _undressed(body, everywhere=decorated)

    def _without_pages(self) -> bytearray:
        kept, start, wipes = bytearray(), self._start, False
        for nth, pressed in enumerate(self._pages):
            left = _LEFT_STANDING.match(self.raw, pressed)
            wiped = None if left else _WIPED.match(self.raw, pressed)
            wipes = bool(wiped) if nth == 0 else wipes
            if wipes and not wiped:
                continue  # a line that only looked like the pager's prompt
            kept += self.raw[start : max(self.raw.rfind(b"\n", 0, pressed) + 1, self._start)]
            start = next((found.end() for found in (left, wiped) if found), pressed)
        return kept + self.raw[start:]

    def _without_prompt(self, body: bytes) -> bytes:
        start = body.rfind(b"\n") + 1
        line = visible(body[start:])
        if line != self._prompt and not same_prompt(line, self._prompt) and self._unended(line):
            return body[: body.rfind(self._prompt)]
        body = body[:start]
        context = body.rstrip(b"\r\n").rfind(b"\n") + 1
        return body[:context] if _CONTEXT.fullmatch(visible(body[context:].rstrip(b"\r\n"))) else body


def _drop_echoes(body: bytes, prompt_and_line: bytes) -> bytes:
    """A device that falls behind echoes a line twice: as it comes in, and again after its prompt."""
    while (end := body.find(b"\n")) >= 0 and visible(body[:end]).replace(b" ", b"") == prompt_and_line.replace(
        b" ", b""
    ):
        body = body[end + 1 :]
    return body


def _undressed(body: bytes, *, everywhere: bool) -> bytes:
    """Without the sequences that steer a terminal.

    An escape sequence in the middle may as well be the configuration's (a coloured banner), so only a known pager's
    traces, or the platform's sheet, let anything be taken out there.
    """
    if b"\x1b" not in body:
        return body
    if everywhere or _LESS.search(body):
        body = _DECORATION.sub(b"", body.replace(b"\x1bE", b"\n") if everywhere else body)
    return _EDGE_END.sub(b"", _EDGE_START.sub(b"", body))
