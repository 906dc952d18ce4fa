#!/usr/bin/env python3
"""Django's door: `python manage.py COMMAND`."""

from __future__ import annotations

import difflib
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
            refuse_unknown(sys.argv[1])
            execute_from_command_line(sys.argv)
    except (BadEnvironment, OperationalError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error).strip())


def refuse_unknown(name: str) -> None:
    """End with status 2 where there is no such command, as for every other wrong use."""
    import django
    from django.core.management import get_commands

    django.setup()  # before it, Django knows of no command but its own
    if name.startswith("-") or name in ("help", "version", *get_commands()):
        return
    near = difflib.get_close_matches(name, get_commands(), n=1)
    hint = f"did you mean `{near[0]}`?" if near else "./netcairn without a word lists them."
    print(f"There is no command {name!r}; {hint}", file=sys.stderr)  # noqa: T201
    sys.exit(2)


if __name__ == "__main__":
    main()
