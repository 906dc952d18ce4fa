"""netmiko's drivers sleep for tenths of a second where they prepare a terminal: others reckon meanwhile."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

from backups.floor import FLOOR


def sleep(seconds: float) -> None:
    """Off the floor."""
    with FLOOR.left:
        time.sleep(seconds)


_TIME = SimpleNamespace(**vars(time) | {"sleep": sleep})


def let_others_reckon(driver: type) -> None:
    """Have a driver of netmiko's leave the floor while it sleeps. It knows no other place to say so than its `time`."""
    for module in {sys.modules[base.__module__] for base in driver.__mro__}:
        if module.__name__.startswith("netmiko.") and getattr(module, "time", None) is time:
            vars(module)["time"] = _TIME
