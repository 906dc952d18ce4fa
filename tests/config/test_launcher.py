"""The launcher `netcairn`, run as a program; only the installers behind it are replaced by scripts that take notes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from tests.config.conftest import ROOT, wait_until

PYTHON_STUB = """#!/bin/sh
echo "$@"
"""
UV_STUB = """#!/bin/sh
echo "$UV_PYTHON_DOWNLOADS $@" >> "$NOTES"
case "$1" in
venv) shift $(($# - 1)); mkdir -p "$1/bin"; cp "$STUB" "$1/bin/python" ;;
pip) while [ -e "$NOTES.wait" ]; do sleep 0.01; done ;;
esac
"""


class Checkout:
    """A bare checkout: the launcher and its lock files, and a PATH with what the test wants."""

    def __init__(self, root: Path) -> None:
        self.root = root / "checkout"
        self.tools = root / "tools"
        self.notes = root / "notes"
        self.root.mkdir()
        self.tools.mkdir()
        shutil.copy(ROOT / "netcairn", self.root)
        for name in ("requirements.lock", "requirements-dev.lock"):
            (self.root / name).write_text(f"# {name}\n")
        self.stub = self.script("stub", PYTHON_STUB)
        self.script("git", "#!/bin/sh\necho git version 2.39.5\n")
        self.script("uv", UV_STUB)
        for name in ("sh", "mkdir", "cp", "sleep"):
            (self.tools / name).symlink_to(shutil.which(name))
        (self.tools / "python3").symlink_to(Path(sys.executable))

    def script(self, name: str, text: str) -> Path:
        """Put a program on the PATH."""
        path = self.tools / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def launch(self, *arguments: str, program: Path | None = None, **environment: str) -> subprocess.Popen[str]:
        """Start the launcher, from a directory that is not its own."""
        return subprocess.Popen(
            # Without the environment's own packages, as on a bare machine.
            [sys.executable, "-s", str(program or self.root / "netcairn"), *arguments],
            env={"PATH": str(self.tools), "NOTES": str(self.notes), "STUB": str(self.stub), **environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self, *arguments: str, program: Path | None = None, **environment: str) -> tuple[int, str, str]:
        """Exit status, output and complaints of a start."""
        process = self.launch(*arguments, program=program, **environment)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def installations(self) -> list[str]:
        """The lock files that were installed, in order."""
        return re.findall(r"pip install .*/(\S+)", self.notes.read_text())


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_bare_checkout_installs_once_and_runs_the_command(checkout: Checkout) -> None:
    """One command from the checkout to the program; the second start says nothing and installs nothing."""
    first = checkout.start("devices", "list", "--json")
    second = checkout.start("devices", "list", "--json")

    expected = f"{checkout.root}/manage.py devices list --json\n"
    assert first[:2] == (0, expected)
    assert second == (0, expected, "")
    assert checkout.installations() == ["requirements.lock"]


def test_no_python_is_ever_downloaded(checkout: Checkout) -> None:
    """What runs must come from the machine or from the hash-locked packages."""
    checkout.start("check")

    assert all(line.startswith("never ") for line in checkout.notes.read_text().splitlines())


def test_it_works_through_a_link(checkout: Checkout, tmp_path: Path) -> None:
    """People put a link into ~/bin."""
    link = tmp_path / "link"
    link.symlink_to(checkout.root / "netcairn")

    assert checkout.start("check", program=link)[1] == f"{checkout.root}/manage.py check\n"


def test_a_changed_lock_file_is_installed(checkout: Checkout) -> None:
    """After an upgrade the old packages would run the new code."""
    checkout.start("check")
    (checkout.root / "requirements.lock").write_text("# newer\n")

    checkout.start("check")

    assert checkout.installations() == ["requirements.lock", "requirements.lock"]


def test_the_test_command_gets_the_tools_and_the_product_needs_them_not(checkout: Checkout) -> None:
    """A server has no use for a test runner."""
    for command in ("check", "test", "check", "test"):
        checkout.start(command)

    assert checkout.installations() == ["requirements.lock", "requirements-dev.lock"]


def test_the_locks_agree(checkout: Checkout) -> None:
    """Installing the tools must not change the product; so the larger lock file may stand for the smaller."""
    product, everything = (
        set(re.findall(r"^[\w.-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )

    assert product <= everything


def test_a_killed_installation_is_done_again_from_nothing(checkout: Checkout) -> None:
    """Half an installed package looks whole to pip."""
    waiting = checkout.notes.with_name("notes.wait")
    waiting.touch()
    killed = checkout.launch("check")
    wait_until(lambda: checkout.notes.exists() and checkout.installations())
    half = checkout.root / ".venv" / "half-a-package"
    half.touch()
    killed.kill()
    killed.wait()
    waiting.unlink()

    status, out, _ = checkout.start("check")
    killed.communicate()

    assert (status, out) == (0, f"{checkout.root}/manage.py check\n")
    assert checkout.installations() == ["requirements.lock"] * 2
    assert not half.exists()


def test_two_starts_at_once_install_once(checkout: Checkout) -> None:
    """Two installers in one directory destroy each other's work."""
    starts = [checkout.launch("check") for _ in range(3)]

    assert [start.communicate(timeout=30)[0] for start in starts] == [f"{checkout.root}/manage.py check\n"] * 3
    assert checkout.installations() == ["requirements.lock"]


def test_an_environment_made_by_somebody_else_is_filled_and_not_emptied(checkout: Checkout) -> None:
    """Who made .venv with uv or by hand has reasons for what is in it."""
    theirs = checkout.root / ".venv" / "bin" / "theirs"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    shutil.copy(checkout.stub, theirs.with_name("python"))

    assert checkout.start("check")[0] == 0

    assert theirs.exists()
    assert checkout.installations() == ["requirements.lock"]


def test_without_uv_pip_installs_what_the_hashes_allow(checkout: Checkout) -> None:
    """Most machines have pip and its configuration, and no uv."""
    (checkout.tools / "uv").unlink()
    (checkout.root / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "pip"):
        shutil.copy(checkout.stub, checkout.root / ".venv" / "bin" / name)

    status, out, err = checkout.start("check")

    assert (status, out) == (0, f"{checkout.root}/manage.py check\n")
    assert re.search(r"-m pip install .*--require-hashes -r \S+/requirements.lock", err)


def test_a_uv_that_fails_is_replaced_by_pip(checkout: Checkout) -> None:
    """pip may be configured for an index that uv knows nothing of."""
    checkout.script("uv", "#!/bin/sh\nexit 1\n")
    (checkout.root / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "pip"):
        shutil.copy(checkout.stub, checkout.root / ".venv" / "bin" / name)

    status, _, err = checkout.start("check")

    assert status == 0
    assert "-m pip install" in err


def test_an_old_git_is_refused_in_one_sentence(checkout: Checkout) -> None:
    """Older versions cannot make a commit survive a power cut."""
    checkout.script("git", "#!/bin/sh\necho git version 2.34.1\n")

    assert checkout.start("check") == (
        2,
        "",
        "netcairn: git version 2.34.1 is too old; install git 2.39 or newer.\n",
    )


def test_a_missing_git_is_named(checkout: Checkout) -> None:
    """GitPython's own words for it are a traceback of thirty lines."""
    (checkout.tools / "git").unlink()

    assert checkout.start("check") == (
        2,
        "",
        "netcairn: git is missing; install it (Debian: apt-get install git).\n",
    )


def test_a_python_without_venv_says_what_to_install(checkout: Checkout, tmp_path: Path) -> None:
    """Debian's Python has none until one asks for it."""
    (checkout.tools / "uv").unlink()
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'ensurepip' else find(name)\n"
    )

    assert checkout.start("check", PYTHONPATH=str(tmp_path)) == (
        2,
        "",
        "netcairn: Python's venv module is missing; apt-get install python3-venv, or install uv.\n",
    )


def test_a_directory_that_cannot_be_written_is_named(checkout: Checkout) -> None:
    """A checkout may belong to somebody else."""
    (checkout.root / ".venv.lock").mkdir()

    status, _, err = checkout.start("check")

    assert status == 2
    assert err == f"netcairn: {checkout.root}/.venv.lock cannot be used: Is a directory.\n"


@pytest.fixture
def launcher() -> Iterator[ModuleType]:
    """The launcher as a module, for the Pythons that this machine does not have."""
    loader = SourceFileLoader("netcairn_launcher", str(ROOT / "netcairn"))
    spec = spec_from_loader(loader.name, loader)
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_an_old_python_is_refused(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A syntax error is no way to say it."""
    monkeypatch.setenv("PATH", "")

    with pytest.raises(launcher.CannotStart, match=r"Python 3\.9 is too old; install Python 3\.11 or newer"):
        launcher.require_python((3, 9), [])


def test_an_old_python_hands_over_to_a_newer_one(
    launcher: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Long-lived distributions have a newer Python beside their own."""
    newer = tmp_path / "python3.12"
    newer.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    taken = []
    monkeypatch.setattr(launcher.os, "execv", lambda *call: taken.append(call) or sys.exit(0))

    with pytest.raises(SystemExit):
        launcher.require_python((3, 9), ["up"])

    assert taken == [(str(newer), [str(newer), str(ROOT / "netcairn"), "up"])]


def test_the_launcher_can_be_read_by_old_pythons() -> None:
    """Only a program that loads can say that it needs a newer Python."""
    import ast

    ast.parse((ROOT / "netcairn").read_text(), feature_version=(3, 6))
    assert os.access(ROOT / "netcairn", os.X_OK)
