"""A new repository."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backups.errors import NoStore, StoreError
from backups.store import creation
from backups.store.creation import create
from backups.store.git import CONFIG
from backups.store.reader import TenantStore, open_path
from tests.backups.store.kit import commit
from tests.backups.store_kit import git

INITIALISE = creation.initialise  # read before the suite's stand-in takes its place


@pytest.fixture(autouse=True)
def made_by_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here, no copy will do."""
    monkeypatch.setattr(creation, "initialise", INITIALISE)


def test_of_two_makers_one_wins(tmp_path: Path) -> None:
    """A1: `exists()` and then `init` is a race that the second wins over the first's commits."""
    path = tmp_path / "store" / "a.git"
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(create, [path] * 4))

    assert sorted(made) == [False, False, False, True]
    assert [found.name for found in path.parent.iterdir()] == ["a.git"]
    commit(open_path(path), {"devices/x": b"1"})


def test_a_repository_is_never_made_twice(store: TenantStore) -> None:
    """C4: creating twice overwrote the stored repository."""
    made = commit(store, {"devices/x": b"1"})

    assert not create(store.path)

    assert store.tree(made)


def test_the_configuration_is_for_everybodys_git(store: TenantStore) -> None:
    """Whoever runs git in it by hand must neither collect garbage nor run a hook."""
    for key, value in CONFIG.items():
        assert git(store.path, "config", "--get", key) == value
    assert git(store.path, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(store.path, "rev-parse", "--is-bare-repository") == "true"


def test_a_part_of_a_repository_is_none(tmp_path: Path) -> None:
    """A2: a half-initialised directory was treated as a repository."""
    (tmp_path / "a.git" / "objects").mkdir(parents=True)

    with pytest.raises(NoStore):
        open_path(tmp_path / "a.git")
    with pytest.raises(StoreError, match="move it away"):
        create(tmp_path / "a.git")


def test_a_root_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The mend is a setting, so the sentence says which."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="NETCAIRN_STORE_ROOT"):
        create(tmp_path / "file" / "a.git")
