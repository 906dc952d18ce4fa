"""`netcairn test`: the test suite, with pytest's own arguments."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

# One process more than cores: the tests wait for devices and other processes now and then. 265 s became 159 s on two
# cores; a fourth process cost as much as it brought.
PARALLEL = ["-n", str(min(8, 1 + (os.cpu_count() or 1))), "--dist=worksteal"]


class Command(BaseCommand):
    """Become pytest."""

    help = "Run the test suite; arguments are pytest's, and `-m long` runs the campaigns and whole servers."

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand everything on unread: pytest knows its arguments better than we do."""
        if find_spec("pytest") is None:
            self.stderr.write("pytest is not installed here: run ./netcairn test, or install requirements-dev.lock.")
            sys.exit(2)
        arguments = argv[2:]
        if wants_everything(arguments):
            arguments = [*PARALLEL, *arguments]
        os.chdir(settings.BASE_DIR)
        # manage.py has set it to the product's settings, and pytest would take those before its own.
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606  # nosec B606


def wants_everything(arguments: list[str]) -> bool:
    """Whether the whole suite is asked for, which is worth several processes."""
    chosen = any(Path(settings.BASE_DIR, argument.partition("::")[0]).exists() for argument in arguments)
    return not chosen and not any(argument.startswith(("-n", "--pdb", "-h", "--help")) for argument in arguments)
