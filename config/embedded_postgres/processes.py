"""Which processes of a server are alive."""

import os
import subprocess
from pathlib import Path

PROC = Path("/proc")


def living(mark: str) -> list[int]:
    """The ids of PostgreSQL's living processes whose command line holds `mark`; zombies are not alive.

    The command line, because everybody may read it: in a container root may not look at the working directory of
    a process of another user.
    """
    commands = _from_proc() if (PROC / "self" / "stat").exists() else _from_ps()
    return [pid for pid, command in commands if mark in command and _is_postgres(command)]


def _is_postgres(command: str) -> bool:
    """True for the server and its children (``postgres: NAME: checkpointer``), not for psql or an editor."""
    return os.path.basename(command.split(" ", 1)[0]).rstrip(":") == "postgres"  # noqa: PTH119  not a path, a title


def _from_proc() -> list[tuple[int, str]]:
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it ended while we looked
        # A zombie's command line is empty, so it never matches.
        found.append((int(entry.name), command.replace(b"\0", b" ").decode(errors="replace")))
    return found


def _from_ps() -> list[tuple[int, str]]:
    # From PATH, because its place differs between systems; only where there is no /proc.
    listing = subprocess.run(  # nosec B607
        ["ps", "-axo", "pid=,stat=,command="], capture_output=True, text=True, check=True
    )
    found = []
    for line in listing.stdout.splitlines():
        pid, state, command = line.split(maxsplit=2)
        if not state.startswith("Z"):
            found.append((int(pid), command))
    return found
