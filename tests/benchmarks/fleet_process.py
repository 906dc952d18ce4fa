"""A simulated fleet in processes of its own, so that it shares no interpreter lock with what is measured."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from backups.simulator import DeviceSpec, Fleet


@dataclass(frozen=True)
class Reached:
    """How to reach one simulated device."""

    name: str
    address: str
    port: int
    username: str
    password: str
    host_key: str
    hostname: str  # what its prompt begins with


class FleetProcess:
    """So many devices of one platform, alive within the `with` block."""

    def __init__(self, platform: str, count: int, *, processes: int = 1, hung: int = 0, **spec: Any) -> None:
        """`spec` is what `DeviceSpec` takes besides the platform; the first `hung` devices hang for ever."""
        context = multiprocessing.get_context("spawn")
        self.pipes: list[Connection] = []
        self.processes = []
        for number in range(processes):
            here, there = context.Pipe()
            share = len(range(number, count, processes))
            mine = len(range(number, hung, processes))
            job = (DeviceSpec(platform, **spec), share, mine, number * count, there)
            self.pipes.append(here)
            self.processes.append(context.Process(target=serve, args=job, daemon=True))
        self.devices: list[Reached] = []

    def __enter__(self) -> Self:
        for process in self.processes:
            process.start()
        shares = [pipe.recv() for pipe in self.pipes]
        # Turn by turn, so that every part of the list is served by all processes; of a run, too, which goes by the names.
        turns = [share[n] for n in range(len(shares[0])) for share in shares if n < len(share)]
        self.devices = [replace(one, name=f"{number:05}-{one.name}") for number, one in enumerate(turns)]
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join(10)

    def __iter__(self) -> Iterator[Reached]:
        return iter(self.devices)

    def __getitem__(self, number: int) -> Reached:
        return self.devices[number]

    @property
    def ports(self) -> list[int]:
        """The ports of all."""
        return [device.port for device in self.devices]

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it has taken so far."""
        ticks = 0
        for process in self.processes:
            said = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(said[11]) + int(said[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def edit(self, lines: Sequence[str]) -> None:
        """Change every device at its console."""
        for pipe in self.pipes:
            pipe.send(list(lines))
        for pipe in self.pipes:
            pipe.recv()


def serve(spec: DeviceSpec, count: int, hung: int, first_index: int, pipe: Connection) -> None:
    """The other process."""
    with Fleet([spec] * count, first_index=first_index) as fleet:
        for device in fleet.devices[:hung]:
            device.set_faults("hang")
        pipe.send(
            [
                Reached(one.name, one.address, one.port, one.username, one.password, one.host_key, one.name)
                for one in fleet
            ]
        )
        while (lines := pipe.recv()) is not None:
            for device in fleet:
                device.edit(lines)
            pipe.send("done")
