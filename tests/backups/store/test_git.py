"""git, run cleanly: its environment, its time, its end, and what it says when it fails."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backups.errors import DiskFull, GitFailed, GitMissing, GitTooSlow
from backups.store import git as door
from backups.store.git import Git
from backups.store.reader import TenantStore


@pytest.fixture(autouse=True)
def started_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the environment is the matter, so the program that makes it is not spared."""
    monkeypatch.setattr("git.cmd.safer_popen", subprocess.Popen)


@pytest.fixture
def fake_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a program of the test in git's place."""

    def put(script: str, version: str = "2.39.5") -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "git"
        program.write_text(f'#!/bin/sh\ncase "$*" in version) echo git version {version}; exit;; esac\n{script}\n')
        program.chmod(0o755)
        door.check_version.cache_clear()
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    yield put
    door.check_version.cache_clear()


def test_nothing_of_a_users_configuration_reaches_git(
    store: TenantStore, fake_git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """C1: a hook, an alias or another place for objects must not come from somebody's shell."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    fake_git("env")

    said = dict(line.split("=", 1) for line in store.git.run("for-each-ref").out.decode().splitlines())

    assert {"HOME", "GIT_OBJECT_DIRECTORY", "LANG"}.isdisjoint(said)
    assert (said["GIT_CONFIG_GLOBAL"], said["GIT_CONFIG_NOSYSTEM"]) == ("/dev/null", "1")
    assert (said["GIT_TERMINAL_PROMPT"], said["LC_ALL"]) == ("0", "C")


def test_our_settings_hold_where_the_repository_has_lost_its_own(store: TenantStore, fake_git) -> None:
    """Who brings a repository back with `git clone --mirror` has lost its configuration, and must lose nothing else."""
    (store.path / "config").write_text("[core]\n\tbare = true\n\tfsync = none\n")
    fake_git(f"exec {shutil.which('git')} --git-dir={store.path} config --get core.fsync")

    assert store.git.run("for-each-ref").out == b"all\n"


def test_a_subcommand_that_nobody_has_thought_about_is_refused(store: TenantStore) -> None:
    """Every subcommand has options of its own that somebody has to have looked at."""
    with pytest.raises(ValueError, match="archive"):
        store.git.run("archive", "--output=/tmp/x", "main")


def test_a_machine_without_git_is_told_so(store: TenantStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """C2: a traceback of a library does not say what to install."""
    for program in ("env", "setpriv", "true"):
        (tmp_path / program).symlink_to(f"/usr/bin/{program}")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(GitMissing, match="install git") as caught:
        store.git.run("version")

    assert not caught.value.worth_retrying


def test_an_old_git_is_refused(store: TenantStore, fake_git) -> None:
    """Before 2.36 there is no core.fsync, and a power cut takes everything."""
    fake_git("", version="2.35.1")

    with pytest.raises(GitMissing, match=r"2\.35\.1 is too old"):
        store.git.run("for-each-ref")


def test_a_git_that_does_not_end_is_stopped(store: TenantStore, fake_git, tmp_path: Path) -> None:
    """C1: a run that hangs holds its tenant's lock for ever."""
    fake_git(f"echo $$ > {tmp_path}/pid; exec sleep 600")

    with pytest.raises(GitTooSlow, match=r"0\.2 s"):
        store.git.run("for-each-ref", seconds=0.2)

    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_a_full_disk_is_called_that(store: TenantStore, fake_git) -> None:
    """Trying again does not help, making room does."""
    fake_git("echo 'fatal: unable to write new index file: No space left on device' >&2; exit 128")

    with pytest.raises(DiskFull, match="make room") as caught:
        store.git.run("for-each-ref")

    assert not caught.value.worth_retrying


def test_a_failure_says_what_git_said(store: TenantStore) -> None:
    """`returned exit code 128` is no sentence."""
    with pytest.raises(GitFailed, match=r"git cat-file in .*a\.git failed: fatal: Not a valid object name"):
        store.git.run("cat-file", "-e", "f" * 40 + "^{tree}")


def test_a_killed_git_is_worth_another_try(store: TenantStore, fake_git) -> None:
    """The kernel kills when memory runs out; that passes."""
    fake_git("kill -9 $$")

    with pytest.raises(GitFailed, match="signal 9") as caught:
        store.git.run("for-each-ref")

    assert caught.value.worth_retrying


def test_git_dies_with_us(store: TenantStore, fake_git, tmp_path: Path) -> None:
    """Without it, 118 of 200 killed writers left a git that moved the ref after the lock had gone."""
    os.mkfifo(tmp_path / "alive")
    fake_git(f"exec sleep 600 < /dev/null > {tmp_path}/alive")
    program = f"from pathlib import Path; from backups.store.git import Git; Git(Path({str(store.path)!r})).run('for-each-ref')"
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[3])
    with (tmp_path / "alive").open("rb") as alive:  # opened when the child is there, at its end when it is gone
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert alive.read() == b""


def test_a_process_that_was_left_early_is_ended(store: TenantStore) -> None:
    """A page that shows the first lines of a patch must not leave git behind."""
    with Git(store.path).stream("cat-file", "--batch", seconds=60) as process:
        pid = process.popen.pid

    assert not Path("/proc", str(pid)).exists()
