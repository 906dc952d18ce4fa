"""The line discipline between an SSH channel and a console: echo, line ends, paging, and the faults of the wire."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Protocol

from backups.simulator.console import Console, Reply
from backups.simulator.device import Device

PIECE = 32_768
SLOW_PIECE = 4_096
GARBAGE = "\xff\xfe\x00\x1b[2J\x1b[31m\r\r\x08\x80\x07"
ENTER, ERASE, CONTROLS = "\r\n", "\x7f\x08", "\x03\x04\x1a"


class Reader(Protocol):
    """The half of a channel that a client writes to."""

    async def read(self, n: int) -> str:
        """What has come, at most n characters; empty at the end."""


class Writer(Protocol):
    """The half of a channel that a client reads from."""

    def write(self, data: str) -> None:
        """Send."""

    async def drain(self) -> None:
        """Wait until the client has room."""


class Terminal:
    """One shell on one channel."""

    def __init__(
        self, device: Device, console: Console, reader: Reader, writer: Writer, *, abort: Callable[[], None]
    ) -> None:
        """`abort` breaks the TCP connection without a goodbye."""
        self.device = device
        self.console = console
        self.reader = reader
        self.writer = writer
        self.abort = abort
        self._typed = ""
        self._pending = ""
        self._after_cr = False
        self._said: list[str] = []

    async def run(self) -> None:
        """Serve until the client leaves or logs out."""
        if await self._hangs():
            return
        self._send(self.console.greet() + self.console.prompt)
        while not self.console.closed:
            key = await self._key()
            if not key:
                return
            await self._take(key)
        self._flush()

    async def _take(self, key: str) -> None:
        if self._after_cr and key == "\n":
            self._after_cr = False
            return
        self._after_cr = key == "\r"
        question = self.console.question
        if question is not None and question.single_key:
            await self._answer("" if key in ENTER else key)
        elif key in ENTER:
            line, self._typed = self._typed, ""
            await self._answer(line)
        elif key in CONTROLS:
            self._typed = ""
            await self._reply(self.console.press(key))
        elif key in ERASE:
            if self._typed:
                self._typed = self._typed[:-1]
                self._send("\b \b")
        else:
            self._type(key)

    def _type(self, key: str) -> None:
        """Take a run of ordinary characters at once: a pasted configuration is long."""
        question = self.console.question
        if question is None or not question.single_key:
            plain = re.match(r"[^\r\n\x03\x04\x1a\x7f\x08]*", self._pending)
            run = plain.group() if plain else ""
            self._pending = self._pending[len(run) :]
            key += run
        self._typed += key
        if question is None or not question.secret:
            self._said.append(key)

    async def _answer(self, line: str) -> None:
        question = self.console.question
        if question is None and line.strip():
            self.device.note_command(line.strip())
        self._send("\n")
        await self._wait()
        if not await self._hangs():
            await self._reply(self.console.enter(line))

    async def _reply(self, reply: Reply) -> None:
        text = await self._damaged(reply) if reply.is_configuration else reply.text
        await self._print(text)
        if self.device.unreachable:
            self.abort()
            self.console.closed = True
        elif not self.console.closed:
            self._send(self.console.prompt)

    # Faults

    async def _wait(self) -> None:
        slow = self.console.faults.get("slow")
        delay = self.device.spec.latency + (slow.seconds if slow else 0.0)
        if delay:
            self._flush()
            await asyncio.sleep(delay)

    async def _hangs(self) -> bool:
        """Under the fault `hang`: read on and say nothing, until the client gives up or the fault is gone."""
        hung = False
        while self.console.faults.get("hang") is not None:
            hung = True
            self._flush()
            if not await self.reader.read(PIECE):
                self.console.closed = True
                return True
        return hung and self.console.closed

    async def _damaged(self, reply: Reply) -> str:
        faults, text = self.console.faults, reply.text
        half = text[: len(text) // 2]
        if faults.get("drop") is not None:
            await self._send_pieces(half)
            self._flush()
            await self.writer.drain()
            self.abort()
            self.console.closed = True
            return ""
        while faults.get("endless") is not None:
            await self._send_pieces(text)
            self._flush()
            await self.writer.drain()
            # The client decides when it has enough; the pause keeps the other devices alive.
            await asyncio.sleep(0.01)
        if faults.get("garbage") is not None:
            lines = text.splitlines(keepends=True)
            return "".join(line + (GARBAGE if n % 7 == 0 else "") for n, line in enumerate(lines))
        return half if faults.get("truncate") is not None else text

    # Output

    def _send(self, text: str) -> None:
        self._said.append(text.replace("\n", "\r\n"))

    def _flush(self) -> None:
        """Send what was said since the last time; one packet for echo, answer and prompt costs a third of three."""
        if self._said:
            self.writer.write("".join(self._said))
            self._said = []

    async def _send_pieces(self, text: str) -> None:
        slow = self.console.faults.get("slow")
        piece = SLOW_PIECE if slow else PIECE
        for start in range(0, len(text), piece):
            self._send(text[start : start + piece])
            if len(text) - start > piece:
                self._flush()
                await self.writer.drain()
                await asyncio.sleep(slow.seconds if slow else 0)

    async def _print(self, text: str) -> None:
        """Print, stopping at each full page when paging is on: space goes on, Enter gives one line, q stops."""
        height = self.console.page_length
        lines = text.splitlines(keepends=True) if height else []
        if len(lines) < height or not height:
            await self._send_pieces(text)
            return
        shown = height - 1
        await self._send_pieces("".join(lines[:shown]))
        while shown < len(lines):
            self._send(self.console.more)
            key = await self._key()
            self._send(self.console.erase_more)
            if not key or key in "qQ\x03":
                break
            step = 1 if key in ENTER else height - 1
            await self._send_pieces("".join(lines[shown : shown + step]))
            shown += step

    async def _key(self) -> str:
        if not self._pending:
            self._flush()
            self._pending = await self.reader.read(PIECE)
        key, self._pending = self._pending[:1], self._pending[1:]
        return key
