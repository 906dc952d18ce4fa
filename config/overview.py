"""What somebody sees who types the program's name and nothing else."""

from __future__ import annotations

import sys
from textwrap import shorten

import django
from django.core.management import get_commands, load_command_class

OURS = ("config", "inventory", "backups", "checkpoints")
WIDTH = 100


def print_overview() -> None:
    """Our commands and what each is for; Django's own are behind `help`."""
    django.setup()
    ours = [(name, app) for name, app in sorted(get_commands().items()) if app in OURS]
    width = max(len(name) for name, _ in ours)
    lines = [f"  {name:{width}}  {first_sentence(app, name)}" for name, app in ours]
    head = "Netcairn keeps the configuration of your network, and puts it back.\n"
    sys.stdout.write("\n".join([head, *lines, "", "COMMAND --help says more; help lists Django's commands too.\n"]))


def first_sentence(app: str, name: str) -> str:
    """The beginning of a command's own help."""
    text = load_command_class(app, name).help
    return shorten(text.partition(". ")[0].rstrip("."), WIDTH, placeholder="…")
