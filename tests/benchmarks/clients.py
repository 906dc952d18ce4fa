"""Clients in processes of their own that collect from devices, without database and store: ours, and others' to compare.

Each is given its devices over a pipe and says how long it took, so that starting Python is in no figure.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Self

from tests.benchmarks.fleet_process import Reached

PLATFORM = "cisco_ios"
LINES = ("show running-config", "show startup-config")
Visit = Callable[[Reached], None]


@dataclass(frozen=True)
class Job:
    """One measurement in one process."""

    kind: str  # ours, netmiko, paramiko
    devices: Sequence[Reached] = field(repr=False)
    threads: int  # 0: as many as it finds right
    pinned: bool = True
    legacy: bool = False
    deadline: float = 300.0
    wanted: int | None = None  # so many good ones end it


class Clients:
    """So many client processes, alive within the `with` block."""

    def __init__(self, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipes: list[Connection] = []
        self.processes = []
        for _ in range(processes):
            here, there = context.Pipe()
            self.pipes.append(here)
            self.processes.append(context.Process(target=serve, args=(there,), daemon=True))

    def __enter__(self) -> Self:
        for process in self.processes:
            process.start()
        for pipe in self.pipes:
            pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join(5)
            process.kill()

    def rate(self, kind: str, devices: Sequence[Reached], *, processes: int = 1, threads: int, **more: bool) -> float:
        """Devices a second, shared out over so many of the processes."""
        jobs = [Job(kind, devices[number::processes], threads, **more) for number in range(processes)]
        return len(devices) / self.seconds(jobs)

    def seconds(self, jobs: Sequence[Job]) -> float:
        """From the first job's beginning to the last one's end."""
        used = list(zip(jobs, self.pipes, strict=False))
        for job, pipe in used:
            pipe.send(job)
        spans = [pipe.recv() for _, pipe in used]
        return max(end for _, end in spans) - min(begin for begin, _ in spans)


def serve(pipe: Connection) -> None:
    """One client process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
    import netmiko  # noqa: F401 - so that no measurement pays for the import

    pipe.send("ready")
    while (job := pipe.recv()) is not None:
        pipe.send(run(job))
    os._exit(0)  # threads may still hang on devices


def run(job: Job) -> tuple[float, float]:
    """When it began and ended, on a clock that all processes share."""
    began = time.monotonic()
    if job.threads == 0:
        by_crew(job)
    else:
        visit, pool = visit_of(job), ThreadPoolExecutor(job.threads)
        waiting = [pool.submit(visit, device) for device in job.devices]
        for number, future in enumerate(as_completed(waiting), start=1):
            future.result()
            if number == (job.wanted or len(waiting)):
                break
        pool.shutdown(wait=False, cancel_futures=True)
    return began, time.monotonic()


def by_crew(job: Job) -> None:
    """With as many threads as our own crew finds right."""
    from backups.conf import threads
    from backups.crew import Crew

    visit, crew, left = visit_of(job), Crew[Reached, None](threads()), list(job.devices)
    good = 0
    while good < (job.wanted or len(job.devices)):
        room = crew.room
        for device in left[:room]:
            crew.send(device, lambda device=device: visit(device))
        left = left[room:]
        for _, future in crew.back(patience=0.2):
            future.result()
            good += 1
    crew.dismiss()


def visit_of(job: Job) -> Visit:
    """What is done with a device."""
    return {"ours": ours, "netmiko": netmiko_as_in_its_manual, "paramiko": paramiko_shell}[job.kind](job)


def ours(job: Job) -> Visit:
    """A whole collection, judged."""
    from backups.collect import collect
    from backups.netmiko_transport import NetmikoTransport
    from backups.transport import Limits, Target
    from inventory.platforms import registry

    transport, platform, limits = NetmikoTransport(), registry.platform(PLATFORM), Limits(deadline=job.deadline)

    def visit(device: Reached) -> None:
        target = Target(
            device.name,
            device.address,
            device.port,
            device.username,
            device.password,
            host_key=device.host_key if job.pinned else "",
            legacy_algorithms=job.legacy,
        )
        collected = collect(target, platform, transport=transport, limits=limits)
        assert collected.capture.good, collected.capture.doubts

    return visit


def netmiko_as_in_its_manual(_: Job) -> Visit:
    """The same commands with netmiko alone."""
    from netmiko import ConnectHandler

    def visit(device: Reached) -> None:
        with ConnectHandler(
            device_type=PLATFORM,
            host=device.address,
            port=device.port,
            username=device.username,
            password=device.password,
        ) as connection:
            for line in LINES:
                connection.send_command(line, read_timeout=60)

    return visit


def paramiko_shell(_: Job) -> Visit:
    """The least that a client on paramiko can do: a shell, and reading until the prompt that is known beforehand."""
    import paramiko

    def visit(device: Reached) -> None:
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # noqa: S507 - a simulated device
        client.connect(
            device.address,
            device.port,
            device.username,
            device.password,
            allow_agent=False,
            look_for_keys=False,
        )
        shell = client.invoke_shell(width=511, height=1000)
        prompt = device.hostname.encode() + b"#"
        for line in ("", "terminal length 0", *LINES):
            if line:
                shell.sendall(line.encode() + b"\n")
            said = b""
            while not said.rstrip().endswith(prompt):
                said += shell.recv(65536)
        client.close()

    return visit
