"""The platforms of this installation: our sheets, and those of `settings.NETCAIRN_PLATFORMS_DIR`.

Sheets are read when somebody first asks, and once by each process; one alone where one alone is asked for.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from inventory.platforms.catalogue import Catalogue, one_of_ours, read_catalogue
from inventory.platforms.sheet import Platform


def platform(slug: str) -> Platform:
    """The sheet of that slug. Raises UnknownPlatform."""
    ours = None if settings.NETCAIRN_PLATFORMS_DIR else one_of_ours(slug)
    return ours or catalogue().get(slug)


def platforms() -> tuple[Platform, ...]:
    """All sheets in order of slug."""
    return tuple(catalogue().sheets.values())


def choices() -> list[tuple[str, str]]:
    """(slug, label) of all sheets in order of label, for a form."""
    return sorted(((sheet.slug, sheet.label) for sheet in platforms()), key=lambda choice: choice[1].lower())


def broken() -> dict[str, str]:
    """Sheets of the user's that cannot be used: slug -> a sentence that names file and reason."""
    return catalogue().broken


def catalogue() -> Catalogue:
    """All sheets of this installation."""
    named = settings.NETCAIRN_PLATFORMS_DIR
    return read_catalogue(Path(named) if named else None)
