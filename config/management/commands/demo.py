"""`netcairn demo`: the whole job on a bare machine, then the admin to look at it."""

from __future__ import annotations

from argparse import ArgumentTypeError
from time import monotonic
from typing import Any

from django.core.management.base import CommandParser

from backups.simulator import Fleet
from config import demo, serving
from config.management.commands.up import DEFAULT_HOST, DEFAULT_PORT, port
from inventory.commands import NetcairnCommand

DEFAULT_DEVICES, FEWEST, MOST = 24, 4, 2000


def device_count(text: str) -> int:
    """A number of devices that two tenants and four systems can share."""
    if not text.isdecimal() or not FEWEST <= int(text) <= MOST:
        raise ArgumentTypeError(f"{text!r} is no number of devices: {FEWEST} to {MOST}")
    return int(text)


class Command(NetcairnCommand):
    """Simulated fleet, backup, change, backup, difference, checkpoint, way back; then the admin."""

    help = "Show what Netcairn does with a simulated fleet of two tenants, then serve the admin to look at it."

    requires_migrations_checks = False  # it prepares the database itself

    def add_arguments(self, parser: CommandParser) -> None:
        """How many devices, and whether to serve afterwards."""
        parser.add_argument(
            "--devices",
            type=device_count,
            default=DEFAULT_DEVICES,
            metavar="N",
            help=f"Devices in the fleet (default {DEFAULT_DEVICES}).",
        )
        parser.add_argument("--exit", action="store_true", help="Stop after the story instead of serving the admin.")
        parser.add_argument("--host", default=DEFAULT_HOST, help=f"Address of the admin (default {DEFAULT_HOST}).")
        parser.add_argument("--port", type=port, default=DEFAULT_PORT, help=f"Its port (default {DEFAULT_PORT}).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell the story, then serve while the fleet lives."""
        began = monotonic()
        serving.prepare(tell=self.tell)
        demo.guard()
        with Fleet(demo.specs(options["devices"]), seed=demo.SEED) as fleet:
            checkpoint = demo.Demo(fleet, self.say).tell()
            administrator = demo.account()
            self.say(f"\nAll of it took {monotonic() - began:.0f} s.")
            document = {
                "checkpoint": checkpoint.pk,
                "devices": len(fleet),
                "tenants": list(demo.TENANTS),
                "username": administrator.username,
                "password": administrator.password,
            }
            if options["exit"]:
                self.say("Look at it in the admin: ./netcairn up (the simulated devices answer while `demo` runs).")
                login = f"Log in as {administrator.username} with the password {administrator.password}"
                self.answer(document, login)
                return
            self.serve(document, options)

    def serve(self, document: dict[str, Any], options: dict[str, Any]) -> None:
        """The admin, until Ctrl-C; the devices go on answering meanwhile."""
        with serving.listen(options["host"], options["port"]) as listener:
            address = serving.address_of(listener)
            lines = [
                f"Netcairn answers at {address}",
                f"Log in as {document['username']} with the password {document['password']}",
                "The simulated devices go on answering: back them up again, compare, go back. Ctrl-C stops everything.",
            ]
            serving.serve(
                listener,
                tell=self.tell,
                ready=lambda: self.welcome({"address": address, **document}, "\n".join(lines)),
            )
        self.tell("Stopped.")

    def welcome(self, document: dict[str, Any], text: str) -> None:
        """Where to look, once there is something to see."""
        self.answer(document, text)
        self.stdout.flush()

    def say(self, text: str) -> None:
        """A line of the story: with --json it is beside the answer."""
        if self.as_json:
            self.tell(text)
        else:
            self.stdout.write(text)
            self.stdout.flush()
