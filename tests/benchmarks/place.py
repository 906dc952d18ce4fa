"""Where a benchmark works: an installation of its own, thrown away afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_place(*, folder: Path | None = None, pages: bool = False) -> Iterator[Path]:
    """A database and a store that nothing else uses, with Django ready; below `folder`, else where temporary files go.

    `pages`: with the static files that pages name. To be entered before anything imports models.
    """
    with tempfile.TemporaryDirectory(prefix="netcairn-bench-", dir=folder) as var:
        for name in ("DATABASE_URL", "NETCAIRN_STORE_ROOT"):  # whatever is there is somebody's
            os.environ.pop(name, None)
        os.environ |= {"NETCAIRN_VAR": var, "DJANGO_SETTINGS_MODULE": "config.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        if pages:
            call_command("collectstatic", interactive=False, verbosity=0)
        yield Path(var)
