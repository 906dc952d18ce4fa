"""Stop a server when nobody uses it any more.

A program of its own, run as ``watchdog.py USERS_LOCK WATCHDOG_FD LINGER COMMAND…``. It imports nothing but the standard
library, goes into the background, and waits until it can have USERS_LOCK for itself: the kernel gives it when the last
user has ended, also one that was killed. After LINGER seconds without a new user it runs COMMAND.
"""

import fcntl
import os
import subprocess
import sys
import time


def wait_until_unused(users: int, linger: float) -> None:
    """Return with the lock held, after nobody else has held it at both ends of `linger` seconds."""
    while True:
        fcntl.flock(users, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_UN)
        time.sleep(linger)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return


def main() -> None:
    """Detach, wait, stop the server."""
    lock_path, watchdog_fd, linger, *command = sys.argv[1:]
    if os.fork():
        os._exit(0)  # the client that started us waits for this, and is left without a child to reap
    os.setsid()
    users = os.open(lock_path, os.O_RDWR)
    wait_until_unused(users, float(linger))
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    finally:
        # In this order: whoever is let in by the second must find the first free, or it would start no watchdog.
        fcntl.flock(int(watchdog_fd), fcntl.LOCK_UN)
        fcntl.flock(users, fcntl.LOCK_UN)


if __name__ == "__main__":
    main()
