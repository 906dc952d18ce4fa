"""Run a program confined, as a program of its own: `python -I limited.py`, told what to do as JSON on standard input.

Only the standard library, because it starts for every device. The program that it runs may write below one folder and
nowhere else, reads no more than a system's own programs and that folder, opens no TCP connection and signals no process
but its own (Landlock, Linux 5.13; connections from 6.7, signals from 6.12 on). Memory, CPU and the size of files are
limited by the kernel; the time and the size of the whole folder are watched here. At the end every descendant is
killed, also those that have left their group: this process is their reaper.

Answers with JSON: `outcome` (`ended`, `timeout`, `too-large`, `unconfined`, `unstartable`), `status`, `said`.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
READING = EXECUTE | READ_FILE | READ_DIR
BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}  # what each version of Landlock knows of files
TCP = 3  # binding and connecting, from version 4 on
SCOPES = 3  # abstract sockets and signals, from version 6 on
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc", "/opt", sys.prefix, sys.base_prefix)
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
SAID = 2000  # bytes of what it says that are kept
FILES = 10_000  # in its folder
WATCH = 0.02  # seconds between two looks
UNCONFINED, UNSTARTABLE = 125, 127

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Read the task, run it, answer."""
    task = json.load(sys.stdin)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        become(task, theirs)
    os.close(theirs)
    os.set_blocking(ours, False)
    outcome, status, said = watch(child, ours, task)
    end_all()
    json.dump({"outcome": outcome, "status": status, "said": said.decode("utf-8", "replace")}, sys.stdout)


def become(task: dict[str, Any], voice: int) -> None:
    """Turn into the program; never returns."""
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(voice, 1)
        os.dup2(voice, 2)
        os.closerange(3, 256)
        os.chdir(Path(task["folder"], "files"))
        for what, most in limits(task).items():
            resource.setrlimit(what, (most, most))
        if not confined(task["folder"], task.get("readable", [])):
            os._exit(UNCONFINED)
        os.execvpe(task["command"][0], task["command"], task["environment"])  # noqa: S606  (no shell, on purpose)  # nosec B606
    except OSError as error:
        os.write(2, f"{error.strerror}: {error.filename or task['command'][0]}".encode())
    os._exit(UNSTARTABLE)


def limits(task: dict[str, Any]) -> dict[int, int]:
    """What the kernel holds it to."""
    return {
        resource.RLIMIT_AS: task["memory"],
        resource.RLIMIT_CPU: int(task["seconds"]) + 1,
        resource.RLIMIT_FSIZE: task["bytes"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
    }


def confined(folder: str, readable: list[str]) -> bool:
    """Give up the right to write outside the folder, and to read what is none of its business; False: not here."""
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    known = BY_VERSION[min(version, 3)]
    handled = (ctypes.c_uint64 * 3)(known, TCP if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(CREATE_RULESET, handled, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    allow(ruleset, folder, known)
    for path in (*SYSTEM, *readable):
        allow(ruleset, path, READING)
    for path in DEVICES:
        allow(ruleset, path, READ_FILE | WRITE_FILE)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return libc.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint32(0)) == 0


class Beneath(ctypes.Structure):
    """struct landlock_path_beneath_attr"""

    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


def allow(ruleset: int, path: str, access: int) -> None:
    """Let it do this below the path; a file cannot be listed, and what is not there needs no rule."""
    with suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not Path(path).is_dir():
            access &= EXECUTE | WRITE_FILE | READ_FILE
        libc.syscall(ADD_RULE, ruleset, ctypes.c_int(1), ctypes.byref(Beneath(access, place)), ctypes.c_uint32(0))
        os.close(place)


def watch(child: int, voice: int, task: dict[str, Any]) -> tuple[str, int, bytes]:
    """Wait for its end, its time, or too much in its folder."""
    ends, said = time.monotonic() + task["seconds"], b""
    while True:
        with suppress(BlockingIOError):
            said += os.read(voice, 65536)
            said = said[:SAID]
        ended, status = os.waitpid(child, os.WNOHANG)
        if too_large(Path(task["folder"]), task["bytes"]):
            return "too-large", 0, said
        if ended:
            with suppress(BlockingIOError):
                said += os.read(voice, 65536)
            code = os.waitstatus_to_exitcode(status)
            return {UNCONFINED: "unconfined", UNSTARTABLE: "unstartable"}.get(code, "ended"), code, said[:SAID]
        if time.monotonic() > ends:
            return "timeout", 0, said
        time.sleep(WATCH)


def too_large(folder: Path, most: int) -> bool:
    """Whether there is more in the folder than may be; what vanishes under the look is none of it."""
    count = size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118  (a Path for each would cost more)
            count += 1
        if size > most or count > FILES:
            return True
    return False


def end_all() -> None:
    """Kill every descendant: those whose parent is gone are ours."""
    mine = Path(f"/proc/self/task/{os.getpid()}/children")
    while True:
        for pid in mine.read_text().split() if mine.exists() else []:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    main()
