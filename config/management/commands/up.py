"""`netcairn up`: everything that an installation on one machine needs, in the foreground."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from config import conf, serving
from inventory.commands import NetcairnCommand

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000
LARGEST_PORT = 65535


def port(text: str) -> int:
    """A port number; 0 lets the system choose."""
    if not text.isdecimal() or int(text) > LARGEST_PORT:
        raise ArgumentTypeError(f"{text!r} is no port: 0 to {LARGEST_PORT}")
    return int(text)


def count(text: str) -> int:
    """A number of workers."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} is no number of workers: 1 or more")
    return int(text)


class Command(NetcairnCommand):
    """Migrate, make the first administrator, serve; Ctrl-C stops everything."""

    help = "Start Netcairn: database, web server and queue workers. Ctrl-C stops everything."

    requires_migrations_checks = False  # it prepares the database itself

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen, and how much to do at once."""
        parser.add_argument("--host", default=DEFAULT_HOST, help=f"Address to listen on (default {DEFAULT_HOST}).")
        parser.add_argument("--port", type=port, default=DEFAULT_PORT, help=f"Port (default {DEFAULT_PORT}).")
        parser.add_argument("--workers", type=count, help="Queue workers (default: NETCAIRN_WORKERS, else 2).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        with serving.listen(options["host"], options["port"]) as listener:
            serving.prepare(tell=self.tell)
            serving.serve(
                listener,
                workers=options["workers"],
                tell=self.tell,
                ready=lambda: self.welcome(serving.address_of(listener), options["host"]),
            )
        self.tell("Stopped.")

    def welcome(self, address: str, host: str) -> None:
        """Say where the pages are, and the first administrator's password, which cannot be read again."""
        administrator = serving.first_administrator()
        lines = [f"Netcairn answers at {address}"]
        if administrator:
            lines += [
                f"Log in as {administrator.username} with the password {administrator.password}",
                "(shown this once; change it with the command `changepassword`).",
            ]
        document = {
            "address": address,
            "username": administrator.username if administrator else None,
            "password": administrator.password if administrator else None,
        }
        self.answer(document, "\n".join(lines))
        self.stdout.flush()
        if host not in conf.LOCAL_HOSTS and settings.LOCAL_ONLY:
            self.tell("Only names of this machine are answered to: set NETCAIRN_ALLOWED_HOSTS to the names others use.")
