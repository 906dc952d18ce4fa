"""Many devices on one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from backups.simulator.clock import Clock
from backups.simulator.device import Device, DeviceSpec
from backups.simulator.errors import AsyncsshMissing, PortTaken
from backups.simulator.faults import Fault

if TYPE_CHECKING:
    from backups.simulator.server import Host

BACKLOG = 128
FILES_PER_DEVICE = 4


class Fleet:
    """Simulated devices, reachable by SSH while the fleet is running.

    Use it as a context manager, or call `start` and `stop`. Devices are found by number, by name, or in a loop.
    """

    def __init__(
        self, specs: Sequence[DeviceSpec], *, seed: int = 0, first_index: int = 0, now: datetime | None = None
    ) -> None:
        """`seed` decides configurations, host keys and the luck of faults; `now` is the devices' time at the start."""
        self.clock = Clock(now)
        self.devices = [
            Device(spec, index=first_index + n, seed=seed, clock=self.clock) for n, spec in enumerate(specs)
        ]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._listeners: list[socket.socket] = []
        self._hosts: list[Host] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self.devices)

    def __iter__(self) -> Iterator[Device]:
        return iter(self.devices)

    def __getitem__(self, which: int | str) -> Device:
        if isinstance(which, int):
            return self.devices[which]
        return next(device for device in self.devices if device.name == which)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def advance(self, seconds: float) -> None:
        """Let time pass on all devices; what has become due happens now."""
        self.clock.advance(seconds)
        for device in self.devices:
            device.settle()

    def set_faults(self, *faults: Fault | str) -> None:
        """Give every device the same faults; see `Device.set_faults`."""
        for device in self.devices:
            device.set_faults(*faults)

    def start(self) -> Self:
        """Open a port for each device and serve; nothing when it runs already. Raises PortTaken, AsyncsshMissing."""
        if self._loop is not None:
            return self
        try:
            from backups.simulator.server import Host
        except ModuleNotFoundError as exc:
            if exc.name != "asyncssh":
                raise
            raise AsyncsshMissing from exc
        _allow_open_files(len(self.devices) * FILES_PER_DEVICE + 256)
        try:
            for device in self.devices:
                self._listeners.append(_listen(device))
        except PortTaken:
            self._close_listeners()
            raise
        self._hosts = [Host(device) for device in self.devices]
        self._loop = asyncio.new_event_loop()
        for listener, host in zip(self._listeners, self._hosts, strict=True):
            self._loop.add_reader(listener, self._accept, listener, host)
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Break all connections and close all ports. Does nothing when the fleet is not running."""
        if self._loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def _accept(self, listener: socket.socket, host: Host) -> None:
        # Blocking and interruption only mean that there is nobody (any more) to accept.
        with contextlib.suppress(BlockingIOError, InterruptedError, ConnectionAbortedError):
            sock, _ = listener.accept()
            sock.setblocking(False)
            task = asyncio.get_running_loop().create_task(host.take(sock))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _shut(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener)
        self._close_listeners()
        for host in self._hosts:
            host.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners = []


def _listen(device: Device) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((device.address, device.port))
    except OSError as exc:
        listener.close()
        raise PortTaken(
            f"Device {device.name} cannot listen on {device.address} port {device.port} ({exc.strerror}); "
            "choose another first port."
        ) from exc
    listener.listen(BACKLOG)
    listener.setblocking(False)
    device.port = listener.getsockname()[1]
    return listener


def _allow_open_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
