"""A sheet that could only fail later, on somebody's device, is refused when it is read."""

from __future__ import annotations

from typing import Any

import pytest
from netmiko.ssh_dispatcher import CLASS_MAPPER_BASE

from inventory.errors import BadPlatformSheet
from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.listing import DOCUMENT, renewed
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore, Section
from tests.platforms.cases import CASES


def sheet(**changes: Any) -> Platform:
    """A sheet that is right but for the changes."""
    facts: dict[str, Any] = {
        "slug": "acme_os",
        "label": "Acme OS",
        "netmiko_type": "generic",
        "commands": (Command(line="show config", filename="config.txt"),),
        "restore": Restore(way="none", note="Acme takes nothing back."),
        "verified": "none",
        "source": "made up for a test",
    }
    return Platform(**{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "Acme OS"}, "slug"),
        ({"label": " "}, "label"),
        ({"label": None}, "label"),
        ({"verified": "seen"}, "verified"),
        ({"restore": Restore(way="nowhere", note="Acme takes nothing back.")}, "way"),  # type: ignore[arg-type]
        ({"commands": [Command(line="show config", filename="config.txt")]}, "commands"),
        ({"commands": (Command(line="show config", filename="config.txt", min_bytes="9"),)}, "min_bytes"),  # type: ignore[arg-type]
        ({"refusals": "^error: "}, "refusals"),
        ({"volatile": (5,)}, "volatile"),
        ({"patience": "30"}, "patience"),
        ({"source": ""}, "source"),
        ({"commands": ()}, "commands"),
        ({"patience": 0}, "patience"),
        ({"commands": (Command(line="show\nreload", filename="a.txt"),)}, "commands"),
        ({"commands": (Command(line="show", filename="a.txt", fallbacks=("",)),)}, "commands"),
        ({"setup": ("page\toff",)}, "commands"),
        ({"commands": (Command(line="show", filename="../a.txt"),)}, "filename"),
        ({"commands": (Command(line="show", filename=".git"),)}, "filename"),
        ({"commands": (Command(line="a", filename="a.txt"), Command(line="b", filename="A.txt"))}, "filename"),
        ({"files": (RemoteFile(path="/etc/config", filename="config.txt"),)}, "filename"),
        ({"commands": (Command(line="a", filename="a.txt", complete_when="("),)}, "complete_when"),
        ({"volatile": ("[",)}, "volatile"),
        ({"volatile": ("uptime .*|",)}, "volatile"),
        ({"volatile": (r"^\s*uptime",)}, "volatile"),
        ({"refusals": ("é",)}, "refusals"),
        ({"withheld": ("(?<",)}, "withheld"),
        ({"frame": ("*",)}, "frame"),
        ({"pager": ("+",)}, "pager"),
        ({"secrets": (r"^password \S+",)}, "secrets"),
        ({"secrets": (Section(begins="(", ends="^!", secrets=()),)}, "section"),
        ({"secrets": (Section(begins="^a", ends="^!", secrets=("name",)),)}, "secrets"),
    ],
)
def test_a_sheet_that_contradicts_itself_is_refused_by_slug_and_field(changes: dict[str, Any], field: str) -> None:
    """Whoever writes a sheet learns at once what is wrong with it, and where."""
    with pytest.raises(BadPlatformSheet, match=rf"'{changes.get('slug', 'acme_os')}': {field} "):
        sheet(**changes)


def test_every_sheet_brings_what_a_device_said() -> None:
    """A sheet without a written-down answer is a guess."""
    brought = {(case.platform.slug, file.name) for case in CASES for file in case.files}

    assert brought == {
        (slug, name)
        for slug, sheet in read_catalogue(None).sheets.items()
        for name in set(sheet.filenames) - {artefact.filename for artefact in sheet.artefacts}
    }


def test_every_sheet_names_a_way_to_log_in_that_exists() -> None:
    """A device type that netmiko does not know fails on somebody's device, at night."""
    named = {slug: sheet.netmiko_type for slug, sheet in read_catalogue(None).sheets.items()}

    assert {slug: name for slug, name in named.items() if name not in CLASS_MAPPER_BASE} == {}


def test_volatile_values_go_and_lines_stay() -> None:
    """A page that leaves them out still shows true line numbers."""
    platform = sheet(volatile=(r"(?P<keep>^saved by )\S+", r"(?P<keep>^key\n)(?:\w+\n)+", r"^uptime"))

    assert platform.without_volatile_values(b"saved by anna now\nkey\nab\ncd\n-\nuptime 1\n") == (
        b"saved by  now\nkey\n\n\n-\nuptime 1\n"
    )


def test_the_documents_table_is_what_the_sheets_say() -> None:
    """`python -m inventory.platforms.listing` writes it anew."""
    written = DOCUMENT.read_text("utf-8")

    assert written == renewed(written, read_catalogue(None).sheets.values())
