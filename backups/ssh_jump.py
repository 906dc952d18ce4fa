"""The way to devices behind jump hosts: one SSH connection to each of these, shared by all devices behind it.

A worker process opens it for the first device, gives each device a channel of its own (direct-tcpip), and closes it a
while after the last. A jump host that said no is not asked again for each of ten thousand devices: the answer is
remembered, until its address, its credential or its pinned key is another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic

import paramiko

from backups.errors import (
    AddressRefused,
    AlgorithmRefused,
    CollectError,
    HostKeyChanged,
    JumpHostFailed,
    JumpHostRefused,
    LoginRefused,
    NoCredential,
    Unreachable,
)
from backups.floor import FLOOR
from backups.ssh_errors import Stage, translated
from backups.ssh_handshake import PinnedKey, log_in
from backups.ssh_link import FOR_EVER, DeviceSocket, dial, place_of
from backups.transport import Target

LINGER = 20.0  # seconds that a connection stays open without a device
REFUSED_FOR = 15 * 60.0  # seconds that a no is remembered
FAILED_FOR = 20.0  # the same for a jump host that could not be reached
KEEPALIVE = 15  # seconds between signs of life on a connection that is shared
NO_LIMIT = 1 << 62  # bytes: each device behind has a limit of its own
EXPECTED = (paramiko.SSHException, OSError, EOFError, CollectError)
FINAL = (LoginRefused, HostKeyChanged, NoCredential, AlgorithmRefused, AddressRefused)
NOT_ALLOWED = 1  # paramiko.ChannelException.code: "administratively prohibited" (RFC 4254, section 5.1)

Way = tuple[Target, ...]


@dataclass
class Shared:
    """The connection to the last jump host of one way."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    client: paramiko.SSHClient | None = None
    link: DeviceSocket | None = None
    users: int = 0
    idle_since: float = 0.0
    error: JumpHostFailed | JumpHostRefused | None = None
    error_until: float = 0.0
    shown: str = ""  # the host key that it proved to hold


class JumpHosts:
    """The connections of one worker, by way."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._shared: dict[Way, Shared] = {}

    def channel(self, way: Way, target: Target, *, until: float) -> DeviceSocket:
        """A connection to the target through a way of jump hosts.

        Raises JumpHostFailed, JumpHostRefused, and Unreachable where the last of them cannot reach the target.
        """
        shared = self._of(way)
        transport = self._connected(shared, way, until)
        try:
            channel = transport.open_channel(
                "direct-tcpip",
                (target.address, target.port),
                ("127.0.0.1", 0),
                timeout=max(0.01, until - monotonic()),
            )
        except EXPECTED as exc:
            self._release(shared)
            raise _no_channel(exc, way[-1], target, alive=transport.is_active()) from None
        return ChannelSocket(channel, until, lambda: self._release(shared))

    def news(self) -> dict[str, str]:
        """The host keys that jump hosts without a pin have proved to hold: row id -> key."""
        with self._lock:
            known = list(self._shared.items())
        return {way[-1].key: shared.shown for way, shared in known if shared.shown and not way[-1].host_key}

    def close_idle(self) -> None:
        """Hang up where nobody has been for a while."""
        with self._lock:
            ways = list(self._shared.values())
        for shared in ways:
            with shared.lock:
                if shared.users == 0 and self._clock() - shared.idle_since >= LINGER:
                    _hang_up(shared)

    def _of(self, way: Way) -> Shared:
        with self._lock:
            return self._shared.setdefault(way, Shared())

    def _connected(self, shared: Shared, way: Way, until: float) -> paramiko.Transport:
        """The connection, opened by whoever comes first. Counts a user, who has to be released."""
        with shared.lock:
            transport = shared.client.get_transport() if shared.client else None
            if transport is None or not transport.is_active():
                _hang_up(shared)
                self._open(shared, way, until)
                transport = shared.client.get_transport() if shared.client else None
            if transport is None:
                raise JumpHostFailed(f"Jump host {place_of(way[-1])} broke the connection off; try again.")
            shared.users += 1
            return transport

    def _open(self, shared: Shared, way: Way, until: float) -> None:
        if shared.error is not None and self._clock() < shared.error_until:
            raise _again(shared.error)
        try:
            shared.client, shared.link, shared.shown = self._logged_in(way, until)
            shared.error = None
        except (JumpHostFailed, JumpHostRefused) as error:
            lasts = REFUSED_FOR if isinstance(error, JumpHostRefused) else FAILED_FOR
            shared.error, shared.error_until = error, self._clock() + lasts
            raise

    def _logged_in(self, way: Way, until: float) -> tuple[paramiko.SSHClient, DeviceSocket, str]:
        """Raises JumpHostFailed, JumpHostRefused, both naming the hop."""
        hop = replace(way[-1], hops=way[:-1])
        link: DeviceSocket | None = None
        client = paramiko.SSHClient()
        policy: PinnedKey | None = None
        try:
            link = self.channel(way[:-1], hop, until=until) if hop.hops else dial(hop, until=until)
            policy = PinnedKey(hop, _lift(link, until))
            client.set_missing_host_key_policy(policy)
            log_in(client, hop, link, patience=max(0.01, until - monotonic()) + 1)
        except (JumpHostFailed, JumpHostRefused):
            client.close()  # a hop before it, which is named already
            raise
        except EXPECTED as exc:
            client.close()
            if link is not None:
                link.release()
            stage = Stage.LOGGING_IN if policy is not None and policy.shown else Stage.CONNECTING
            raise _of_the_hop(translated(exc, hop, deadline=until, stage=stage), hop) from None
        link.allow(until=FOR_EVER, size=NO_LIMIT)
        transport = client.get_transport()
        if transport is not None:
            transport.set_keepalive(KEEPALIVE)
        return client, link, policy.shown

    def _release(self, shared: Shared) -> None:
        with shared.lock:
            shared.users -= 1
            shared.idle_since = self._clock()
            if shared.users:
                return
        timer = threading.Timer(LINGER + 1, self.close_idle)
        timer.daemon = True
        timer.start()


class ChannelSocket(DeviceSocket):
    """A channel through a jump host, that says when it is done with."""

    def __init__(self, channel: paramiko.Channel, until: float, released: Callable[[], None]) -> None:
        super().__init__(channel, until)
        self._released: Callable[[], None] | None = released

    def release(self) -> None:
        """Once."""
        super().release()
        released, self._released = self._released, None
        if released is not None:
            released()


JUMP_HOSTS = JumpHosts()  # of this process


def reach(target: Target, *, until: float) -> DeviceSocket:
    """Connect to a device, through its jump hosts where it has some.

    Raises Unreachable, AddressRefused, JumpHostFailed, JumpHostRefused.
    """
    if not target.hops:
        return dial(target, until=until)
    problem = target.rule.problem(target.address, target.port)
    if problem:
        raise AddressRefused(f"{place_of(target)} is not connected to: its address {problem}. Correct it.")
    try:
        with FLOOR.left:
            return JUMP_HOSTS.channel(target.hops, target, until=until)
    except JumpHostRefused as error:
        raise JumpHostRefused(f"{target.name}: {error}", hop=error.hop, presented=error.presented) from None
    except JumpHostFailed as error:
        raise JumpHostFailed(f"{target.name}: {error}") from None


def _lift(link: DeviceSocket, until: float) -> Callable[[], None]:
    return lambda: link.allow(until=until, size=NO_LIMIT)


def _of_the_hop(error: CollectError, hop: Target) -> JumpHostFailed | JumpHostRefused:
    """The same as of a device, said of the jump host."""
    if isinstance(error, FINAL):
        presented = error.presented if isinstance(error, HostKeyChanged) else ""
        return JumpHostRefused(f"Jump host {error}", hop=hop.key, presented=presented)
    return JumpHostFailed(f"Jump host {error}")


def _again(error: JumpHostFailed | JumpHostRefused) -> CollectError:
    """What was said a moment ago, for another device: an exception is raised once only."""
    if isinstance(error, JumpHostRefused):
        return JumpHostRefused(str(error), hop=error.hop)  # its key was told of already
    return JumpHostFailed(str(error))


def _no_channel(exc: BaseException, hop: Target, target: Target, *, alive: bool) -> CollectError:
    if isinstance(exc, paramiko.ChannelException):
        if exc.code == NOT_ALLOWED:
            return JumpHostRefused(
                f"Jump host {place_of(hop)} does not let us through to {target.address} port {target.port}; "
                "allow TCP forwarding there.",
                hop=hop.key,
            )
        return Unreachable(f"{place_of(target)} cannot be reached from the jump host; check its address.")
    if alive:
        return Unreachable(f"{place_of(target)} did not answer the jump host in time; check its address.")
    return JumpHostFailed(f"Jump host {place_of(hop)} broke the connection off; try again.")


def _hang_up(shared: Shared) -> None:
    client, link = shared.client, shared.link
    shared.client = shared.link = None
    if link is not None:
        link.close()
    if client is not None:
        with suppress(*EXPECTED):
            client.close()
    if link is not None:
        link.release()
