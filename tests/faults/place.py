"""A database and a store that a campaign has to itself, whoever starts it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_place() -> Iterator[None]:
    """Django, set up on an empty embedded database and an empty store, for this process and those that it starts.

    What the environment says of either is set aside: a campaign that is started by the test suite must not count the
    rows of the suite, or of another campaign beside it, among its own.
    """
    for name in ("DATABASE_URL", "NETCAIRN_TEST_VAR"):
        os.environ.pop(name, None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    with tempfile.TemporaryDirectory(prefix="netcairn-faults-") as var:
        os.environ["NETCAIRN_VAR"] = var
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield
