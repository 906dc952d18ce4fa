"""A browser, and a whole installation for it: web server, queue, database and devices that answer over SSH."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.config.test_up import Installation

MISSING = "no chromium on PATH (Debian: apt-get install chromium)"


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Debian's chromium, driven by Playwright; what it does not bring is not downloaded."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip(MISSING)
    pytest.importorskip("axe_playwright_python")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        # As root, which runs in a container of its own, chromium has no sandbox.
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


@pytest.fixture
def installation() -> Iterator[Installation]:
    """Nothing in it yet; the test says what is started."""
    installation = Installation()
    yield installation
    installation.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots of this run are kept: `NETCAIRN_SCREENSHOTS`, else `var/screenshots`."""
    folder = Path(os.environ.get("NETCAIRN_SCREENSHOTS") or settings.BASE_DIR / "var" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
