"""`simulate --platform SLUG --count N --first-port P --inventory FILE.csv`: fake devices until interrupted."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from backups.simulator import AsyncsshMissing, DeviceSpec, Fault, Fleet, SimulatorError, slugs
from backups.simulator.faults import FAULTS
from backups.simulator.inventory import CREDENTIAL, write_inventory
from inventory.commands import NetcairnCommand, WrongUse

MILLISECONDS = 1000
HIGHEST_PORT = 65535
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


class Command(NetcairnCommand):
    """A fleet to try things on: nothing in it is real but the SSH."""

    help = "Run a fleet of simulated devices that speak real SSH, until interrupted."
    requires_migrations_checks = False
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What devices, how many, where, and how bad."""
        parser.add_argument("--platform", required=True, metavar="SLUG", help=f"One of: {', '.join(slugs())}.")
        parser.add_argument("--count", type=int, required=True, metavar="N", help="How many devices.")
        parser.add_argument(
            "--first-port", type=int, required=True, metavar="P", help="The others take the next ports."
        )
        parser.add_argument("--inventory", type=Path, required=True, metavar="FILE.csv", help="For `devices import`.")
        parser.add_argument("--latency", type=float, default=0, metavar="MS", help="Milliseconds before each answer.")
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="NAME=RATE",
            help=f"A fault and the share of connections that meet it; repeatable. One of: {', '.join(FAULTS)}.",
        )
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="Other configurations and host keys.")
        parser.add_argument("--size", type=int, default=12_000, metavar="BYTES", help="Of each configuration, about.")
        parser.add_argument("--address", default="127.0.0.1", metavar="IP", help="Where to listen.")

    def handle(self, **options: Any) -> None:
        """Start, say how to use it, and wait for the signal to stop."""
        specs = device_specs(options)
        # Before any thread exists, so that the signal waits for sigwait and interrupts nothing.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            with started(specs, seed=options["seed"]) as fleet:
                save_inventory(fleet, options["inventory"])
                self.answer(fleet_document(fleet), how_to_use(fleet, options["inventory"]))
                self.stdout.flush()
                signal.sigwait(STOP_SIGNALS)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.tell("The simulated devices are gone.")


def device_specs(options: dict[str, Any]) -> list[DeviceSpec]:
    """What the options ask for. Raises WrongUse."""
    count, first = options["count"], options["first_port"]
    if count < 1:
        raise WrongUse("--count must be at least 1.")
    if not 1 <= first <= HIGHEST_PORT - count + 1:
        raise WrongUse(f"{count} ports from {first} on do not fit between 1 and {HIGHEST_PORT}.")
    if options["latency"] < 0:
        raise WrongUse("--latency cannot be negative.")
    if options["platform"] not in slugs():
        raise WrongUse(f"The simulator has no platform '{options['platform']}'; choose from: {', '.join(slugs())}.")
    return [
        DeviceSpec(
            options["platform"],
            size=options["size"],
            address=options["address"],
            port=port,
            latency=options["latency"] / MILLISECONDS,
            faults=faults(options["fault"]),
        )
        for port in range(first, first + count)
    ]


def faults(wanted: list[str]) -> tuple[Fault, ...]:
    """The faults of `--fault`. Raises WrongUse."""
    try:
        return tuple(Fault.parse(each) for each in wanted)
    except SimulatorError as error:
        raise WrongUse(str(error)) from error


def started(specs: list[DeviceSpec], *, seed: int) -> Fleet:
    """A fleet that is reachable. Raises WrongUse, CommandError."""
    try:
        return Fleet(specs, seed=seed).start()
    except AsyncsshMissing as error:
        raise CommandError(str(error)) from error
    except SimulatorError as error:
        raise WrongUse(str(error)) from error


def save_inventory(fleet: Fleet, path: Path) -> None:
    """Write the file for `devices import`. Raises WrongUse."""
    try:
        write_inventory(fleet, path)
    except OSError as error:
        raise WrongUse(f"The inventory {path} cannot be written: {error.strerror}.") from error


def fleet_document(fleet: Fleet) -> dict[str, Any]:
    """The fleet for programs."""
    return {
        "devices": [
            {"name": each.name, "address": each.address, "port": each.port, "host_key": each.host_key} for each in fleet
        ],
        "username": fleet[0].username,
        "password": fleet[0].password,
        "credential": CREDENTIAL,
    }


def how_to_use(fleet: Fleet, inventory: Path) -> str:
    """One line that brings the devices into Netcairn and backs them up."""
    first, last = fleet[0], fleet[len(fleet) - 1]
    return (
        f"{len(fleet)} devices listen on {first.address}:{first.port}-{last.port} until Ctrl-C; in another terminal: "
        f"./netcairn tenant add lab && echo {first.password} | ./netcairn credential add {CREDENTIAL} --tenant lab "
        f"--username {first.username} --password-stdin && ./netcairn devices import {inventory} --tenant lab && "
        "./netcairn backup --tenant lab"
    )
