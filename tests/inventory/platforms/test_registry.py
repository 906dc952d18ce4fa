"""Sheets are found by name, and a user's sheet can harm nothing but itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from backups.checks import user_sheets_can_log_in
from inventory.checks import user_sheets_are_usable
from inventory.errors import UnknownPlatform
from inventory.platforms import registry
from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.listing import DOCUMENT

SHEET = """
from inventory.platforms.sheet import Command, Platform, Restore

PLATFORM = Platform(
    slug="{slug}",
    label="Of the user",
    netmiko_type="generic",
    commands=(Command(line="show all", filename="all.txt"),),
    restore=Restore(way="none", note="None."),
    verified="none",
    source="made up for a test",
)
"""


def test_the_modules_beside_the_registry_are_the_platforms() -> None:
    """There is no list to edit, and so none to forget."""
    package = Path(registry.__file__).parent
    written = {path.stem for path in package.glob("*.py") if "PLATFORM = Platform(" in path.read_text()}

    assert set(read_catalogue(None).sheets) == written >= {"cisco_ios"}


def test_platforms_come_in_order_and_choices_by_label() -> None:
    """A form and a table look the same on every machine."""
    assert [sheet.slug for sheet in registry.platforms()] == sorted(sheet.slug for sheet in registry.platforms())
    assert ("cisco_ios", "Cisco IOS and IOS-XE") in registry.choices()


def test_one_platform_is_read_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is started for twenty devices of one system would spend a second on a hundred others."""
    expected = read_catalogue(None).get("cisco_ios")
    monkeypatch.setattr(registry, "read_catalogue", None)

    assert registry.platform("cisco_ios") is expected


def test_a_module_that_is_no_sheet_is_no_platform() -> None:
    """What stands beside the sheets is not to be reached by a device's row."""
    with pytest.raises(UnknownPlatform, match="idioms"):
        registry.platform("idioms")


def test_an_unknown_platform_is_said_by_name() -> None:
    """A device may name a platform whose sheet is gone."""
    with pytest.raises(UnknownPlatform, match="cisco_iso"):
        registry.platform("cisco_iso")


def test_a_sheet_of_the_user_joins_ours(tmp_path: Path, settings: LazySettings) -> None:
    """A site adds its own system without touching the program."""
    (tmp_path / "acme_os.py").write_text(SHEET.format(slug="acme_os"))
    (tmp_path / "_shared.py").write_text("1/0")
    settings.NETCAIRN_PLATFORMS_DIR = str(tmp_path)

    assert registry.platform("acme_os").label == "Of the user"
    assert registry.platform("cisco_ios").label == "Cisco IOS and IOS-XE"


def test_the_documents_example_is_a_sheet(tmp_path: Path) -> None:
    """People start from it."""
    (tmp_path / "acme_os.py").write_text(DOCUMENT.read_text("utf-8").partition("```python\n")[2].partition("```")[0])

    assert read_catalogue(tmp_path).get("acme_os").restore.way == "merge"


def test_a_sheet_of_the_user_replaces_ours_of_the_same_name(tmp_path: Path) -> None:
    """A site can mend one of our sheets without waiting for us."""
    (tmp_path / "cisco_ios.py").write_text(SHEET.format(slug="cisco_ios"))

    assert read_catalogue(tmp_path).get("cisco_ios").label == "Of the user"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("PLATFORM = (", "acme_os.py, line 1, is not used: it is no Python: '(' was never closed"),
        ("import sys; sys.exit(3)", "acme_os.py, line 1, is not used: it raises SystemExit: 3"),
        ("import not_there_at_all", "not_there_at_all"),
        ("\n\n1/0", "acme_os.py, line 3, is not used: it raises ZeroDivisionError"),
        ("PLATFORM = 'cisco'", "no PLATFORM"),
        (
            SHEET.format(slug="other_os"),
            "line 5, is not used: Its slug is 'other_os', and its file must be other_os.py",
        ),
        (SHEET.format(slug="acme_os").replace("filename=", "file="), "line 8, is not used: it raises TypeError"),
        (
            SHEET.format(slug="acme_os").replace("way=", "\n        way=").replace('"none", note', '"nowhere", note'),
            "line 10, is not used: Platform sheet 'acme_os': way must be 'replace', 'candidate'",
        ),
        (
            "# -*- coding: latin-1 -*-" + SHEET.format(slug="acme_os").replace('verified="none"', 'verified="\xe9"'),
            "line 10, is not used: Platform sheet 'acme_os': verified must be 'system'",
        ),
        (
            SHEET.format(slug="acme_os").replace("all.txt", "../all.txt"),
            "line 8, is not used: Platform sheet 'acme_os': filename",
        ),
        (SHEET.format(slug="Acme"), "line 5, is not used: Platform sheet 'Acme': slug must be"),
    ],
)
def test_a_broken_sheet_of_the_user_disables_itself_and_says_why(tmp_path: Path, text: str, reason: str) -> None:
    """One typing error in one file must not stop the backups of all other systems."""
    (tmp_path / "acme_os.py").write_text(text, "latin-1")

    catalogue = read_catalogue(tmp_path)

    assert "cisco_ios" in catalogue.sheets
    with pytest.raises(UnknownPlatform) as refused:
        catalogue.get("acme_os")
    assert str(tmp_path / "acme_os.py") in str(refused.value)
    assert reason in str(refused.value)


def test_a_broken_sheet_is_said_when_the_program_starts(tmp_path: Path, settings: LazySettings) -> None:
    """The night's run is too late to learn of a typing error."""
    (tmp_path / "acme_os.py").write_text("1/0")
    settings.NETCAIRN_PLATFORMS_DIR = str(tmp_path)

    assert [warning.id for warning in user_sheets_are_usable()] == ["netcairn.W001"]


def test_a_way_to_log_in_that_does_not_exist_is_said_when_the_program_starts(
    tmp_path: Path, settings: LazySettings
) -> None:
    """Nothing but netmiko knows its device types; a misspelled one would fail on somebody's device."""
    (tmp_path / "acme_os.py").write_text(SHEET.format(slug="acme_os").replace('"generic"', '"acme_os_9"'))
    settings.NETCAIRN_PLATFORMS_DIR = str(tmp_path)

    (warning,) = user_sheets_can_log_in()

    assert warning.id == "netcairn.W002"
    assert warning.msg.startswith(f"{tmp_path / 'acme_os.py'}, line 7, cannot log in: netmiko_type is wrong.")


def test_a_broken_replacement_does_not_bring_ours_back(tmp_path: Path) -> None:
    """A device collected by another sheet than the site's own looks backed up, and may not be."""
    (tmp_path / "cisco_ios.py").write_text("1/0")

    with pytest.raises(UnknownPlatform, match="ZeroDivisionError"):
        read_catalogue(tmp_path).get("cisco_ios")


def test_a_directory_that_is_not_there_is_no_reason_to_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said, and our own sheets work."""
    assert "cisco_ios" in read_catalogue(tmp_path / "gone").sheets
    assert "gone" in caplog.text
