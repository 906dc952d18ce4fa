#!/usr/bin/env python3
"""Django's door: `python manage.py COMMAND`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run a command; what is wrong with the installation is said in one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        sys.exit("The packages of requirements.lock are not installed in this Python: run ./netcairn instead.")
    from django.db import OperationalError

    from config.conf import BadEnvironment
    from config.overview import print_overview

    try:
        if len(sys.argv) == 1:
            print_overview()
        else:
            execute_from_command_line(sys.argv)
    except (BadEnvironment, OperationalError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error).strip())


if __name__ == "__main__":
    main()
