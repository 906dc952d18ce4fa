"""A repository without a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from backups.store.creation import create
from backups.store.reader import TenantStore, open_path


@pytest.fixture
def store(tmp_path: Path) -> TenantStore:
    """An empty repository."""
    path = tmp_path / "store" / "a.git"
    create(path)
    return open_path(path)
