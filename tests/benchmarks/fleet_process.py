"""A simulated fleet in a process of its own, so that it shares no interpreter lock with what is measured."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Self

from backups.simulator import DeviceSpec, Fleet


@dataclass(frozen=True)
class Reached:
    """How to reach one simulated device."""

    name: str
    address: str
    port: int
    username: str
    password: str


class FleetProcess:
    """So many devices of one platform, alive within the `with` block."""

    def __init__(self, platform: str, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, there = context.Pipe()
        self.process = context.Process(target=serve, args=(platform, count, there), daemon=True)
        self.devices: list[Reached] = []

    def __enter__(self) -> Self:
        self.process.start()
        self.devices = self.pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.send(None)
        self.process.join(10)

    def __iter__(self):
        return iter(self.devices)

    def __getitem__(self, number: int) -> Reached:
        return self.devices[number]

    @property
    def ports(self) -> list[int]:
        """The ports of all."""
        return [device.port for device in self.devices]

    def edit(self, lines: Sequence[str]) -> None:
        """Change every device at its console."""
        self.pipe.send(list(lines))
        self.pipe.recv()


def serve(platform: str, count: int, pipe: Connection) -> None:
    """The other process."""
    with Fleet([DeviceSpec(platform) for _ in range(count)]) as fleet:
        pipe.send([Reached(one.name, one.address, one.port, one.username, one.password) for one in fleet])
        while (lines := pipe.recv()) is not None:
            for device in fleet:
                device.edit(lines)
            pipe.send("done")
