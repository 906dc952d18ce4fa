"""An SSH connection without a thread of its own: whoever waits for a message reads it himself.

paramiko gives each connection a thread that reads, and wakes those who wait. With one conversation at a time that only
costs: two threads for each device, and some forty changes between them, each of which asks for the interpreter. Here
paramiko's own parsing is called by the thread that waits. For connections that several threads share (jump hosts), and
where both sides may talk at the same time (uploads), there is `DeviceTransport`.
"""

# ruff: noqa: ARG002 - the methods have paramiko's signatures, and most of what they offer has no use here.

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import paramiko
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from paramiko import common
from paramiko.packet import NeedRekeyException
from paramiko.ssh_exception import MessageOrderError

from backups.ssh_handshake import DeviceTransport
from backups.ssh_link import DeviceSocket

# What paramiko's parsing raises where the other side is gone, or sends what is malformed or out of turn. It takes no
# message apart with care, so a hostile one ends as nearly any of Python's own errors.
BROKEN = (
    paramiko.SSHException,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    struct.error,
    InvalidTag,
    InvalidSignature,
    UnsupportedAlgorithm,
)
KEX_MESSAGES = range(30, 42)  # belong to whatever way of exchanging keys was agreed on (RFC 4250, section 4.1.2)


class Awaited(threading.Event):
    """An event that comes with a message: waiting for it takes messages in."""

    def __init__(self, transport: Unthreaded) -> None:
        super().__init__()
        self._transport = transport

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it has come, within so many seconds."""
        self._transport.pump_until(self.is_set, timeout)
        return self.is_set()


class Room(threading.Condition):
    """The condition that there is room to send; paramiko waits for it with its lock in hand."""

    def __init__(self, lock: Any, transport: Unthreaded) -> None:
        super().__init__(lock)
        self._transport, self._held = transport, lock

    def wait(self, timeout: float | None = None) -> bool:
        """Take one message in."""
        self._held.release()
        try:
            return self._transport.pump(timeout)
        finally:
            self._held.acquire()


class DeviceChannel(paramiko.Channel):
    """A terminal, or a file's way, whose bytes are fetched by whoever asks for them."""

    transport: Unthreaded

    def __init__(self, chanid: int, transport: Unthreaded) -> None:
        super().__init__(chanid)
        self._set_transport(transport)
        self.event = Awaited(transport)
        self.out_buffer_cv = Room(self.lock, transport)
        self._arrived = bytearray()

    def _log(self, level: int, msg: Any, *args: Any) -> None:
        """Nothing."""

    def _feed(self, m: Any) -> None:
        self._arrived += m if isinstance(m, bytes) else m.get_binary()

    def _has_something(self) -> bool:
        return bool(self._arrived) or self.closed or self.eof_received

    def recv_ready(self) -> bool:
        """Whether bytes have come; what the socket holds is looked through for them."""
        self.transport.pump_until(self._has_something, 0.0)
        return bool(self._arrived)

    def recv(self, nbytes: int) -> bytes:
        """Bytes; empty at the end. Raises TimeoutError."""
        self.transport.pump_until(self._has_something, self.timeout)
        if not self._has_something():
            raise TimeoutError
        said = bytes(memoryview(self._arrived)[:nbytes])
        del self._arrived[:nbytes]
        room = self._check_add_window(len(said))
        if room > 0:
            more = paramiko.Message()
            more.add_byte(common.cMSG_CHANNEL_WINDOW_ADJUST)
            more.add_int(self.remote_chanid)
            more.add_int(room)
            # A link that ends here is told at the next call: these bytes have come.
            self.transport._guarded(lambda: self.transport._send_user_message(more))
        return said


class Unthreaded(DeviceTransport):
    """paramiko's transport, used by one thread alone."""

    sock: DeviceSocket
    _expected_packet: tuple[int, ...]
    kex_engine: Any
    saved_exception: BaseException | None
    _channel_handler_table = DeviceTransport._channel_handler_table | {
        common.MSG_CHANNEL_DATA: DeviceChannel._feed,
    }

    def __init__(self, sock: DeviceSocket, **options: Any) -> None:
        super().__init__(sock, **options)
        self.clear_to_send = Awaited(self)
        sock.gathers = True

    def event(self) -> threading.Event:
        """Something that a message brings."""
        return Awaited(self)

    def join(self, timeout: float | None = None) -> None:
        """Nothing: there is no thread."""

    def start_client(self, event: threading.Event | None = None, timeout: float | None = None) -> None:
        """Agree on keys. Raises SSHException, EOFError, OSError."""
        self.active = True
        self._expect_packet(common.MSG_KEXINIT)
        self._guarded(self._introduce)
        while self.active and not self.initial_kex_done:
            self.pump(None)
        if not self.active:
            raise self.get_exception() or paramiko.SSHException("Negotiation failed.")

    def _introduce(self) -> None:
        self.packetizer.write_all(f"{self.local_version}\r\n".encode("ascii"))
        self._check_banner()
        self._send_kex_init()

    def open_channel(self, kind: str, *args: Any, **options: Any) -> paramiko.Channel:
        """A channel for a session. Raises SSHException, EOFError, OSError."""
        if kind != "session" or not self.active:
            raise paramiko.SSHException("SSH session not active")
        self.sock.gathers = False  # from here on drivers send something, sleep, and look what has come
        channel, window, packet = self._new_channel(), self.default_window_size, self.default_max_packet_size
        channel._set_window(window, packet)
        asked = paramiko.Message()
        asked.add_byte(common.cMSG_CHANNEL_OPEN)
        asked.add_string(kind)
        for number in (channel.chanid, window, packet):
            asked.add_int(number)
        opened = self.channel_events[channel.chanid] = self.event()
        self._send_user_message(asked)
        opened.wait()
        if not self.active or self._channels.get(channel.chanid) is None:
            raise self.get_exception() or paramiko.SSHException("Unable to open channel.")
        return channel

    def _new_channel(self) -> DeviceChannel:
        number = self._next_channel()
        channel = DeviceChannel(number, self)
        self._channels.put(number, channel)
        self.channels_seen[number] = True
        return channel

    def forget(self) -> None:
        """Let go of everything, once the link is closed: paramiko's objects name each other in circles.

        Until Python looks for those, which it does rarely, each would keep some 80 KB.
        """
        self.active = False
        for channel in list(self._channels.values()):
            channel._unlink()
            channel.__dict__.pop("transport", None)
        for event in (self.clear_to_send, *self.channel_events.values()):
            event.__dict__.pop("_transport", None)
        self._handler_table.clear()
        for name in ("auth_handler", "kex_engine", "saved_exception", "packetizer"):
            self.__dict__.pop(name, None)

    # Taking messages in

    def pump_until(self, there: Callable[[], bool], seconds: float | None) -> None:
        """Take messages in until something is there, the connection has ended, or so many seconds are over."""
        until = None if seconds is None else monotonic() + seconds
        while not there() and self.active:
            left = None if until is None else max(0.0, until - monotonic())
            if not self.pump(left) and left is not None:
                return

    def pump(self, patience: float | None) -> bool:
        """Take one message in; False when none began to come in so many seconds. None: wait for it.

        Once a message has begun to come it is waited for, as long as the link allows.
        """
        if patience is not None:
            came = self._guarded(lambda: self.sock.comes(patience))
            if came is False:
                return False
        if self.active:
            self._guarded(self._take_message)
        return True

    def _guarded(self, act: Callable[[], bool | None]) -> bool | None:
        """Do it; an error ends the connection, and is raised by paramiko where somebody then misses it."""
        try:
            return act()
        except BROKEN as exc:
            self._end(exc)
            return None

    def _take_message(self) -> None:
        if self.packetizer.need_rekey() and not self.in_kex:
            self._send_kex_init()
        try:
            kind, message = self.packetizer.read_message()
        except NeedRekeyException:
            return
        if kind == common.MSG_DISCONNECT:
            self._end(None)
        elif kind in (common.MSG_IGNORE, common.MSG_DEBUG):
            self._enforce_strict_kex(kind)
        elif not self._is_of_the_exchange(kind, message):
            self._hand_on(kind, message)

    def _is_of_the_exchange(self, kind: int, message: paramiko.Message) -> bool:
        """Whether it was the next step of exchanging keys. Raises SSHException where another one is due."""
        due, self._expected_packet = self._expected_packet, ()
        if due and kind not in due:
            wrong = MessageOrderError if self.agreed_on_strict_kex else paramiko.SSHException
            raise wrong(f"Expecting packet from {due!r}, got {kind:d}")
        if not due or kind not in KEX_MESSAGES:
            return False
        self.kex_engine.parse_next(kind, message)
        return True

    def _hand_on(self, kind: int, message: paramiko.Message) -> None:
        """To whom it concerns."""
        login = self.auth_handler
        if kind in self._handler_table:
            self._handler_table[kind](message)
        elif kind in self._channel_handler_table:
            number = message.get_int()
            channel = self._channels.get(number)
            if channel is not None:
                self._channel_handler_table[kind](channel, message)
            elif number not in self.channels_seen:
                raise paramiko.SSHException("a message for a channel that was never opened")
        elif login is not None and kind in login._handler_table:
            login._handler_table[kind](message)
        elif kind != common.MSG_UNIMPLEMENTED:
            answer = paramiko.Message()
            answer.add_byte(common.cMSG_UNIMPLEMENTED)
            answer.add_int(message.seqno)
            self._send_message(answer)

    def _end(self, why: BaseException | None) -> None:
        """Nobody waits any more for what will not come."""
        self.saved_exception = why
        self.active = False
        for channel in list(self._channels.values()):
            channel._unlink()
        self.packetizer.close()
        if self.auth_handler is not None:
            self.auth_handler.abort()
        self.sock.close()
