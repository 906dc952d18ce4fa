"""Settings of the test suite: a `var` of its own for each run, and a database that may forget at a power cut."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "NETCAIRN_TEST_VAR" not in os.environ:
    # Made once by the controlling process; its pytest-xdist workers inherit the name, and so share one server.
    os.environ["NETCAIRN_TEST_VAR"] = tempfile.mkdtemp(prefix="netcairn-test-")
    atexit.register(shutil.rmtree, os.environ["NETCAIRN_TEST_VAR"], ignore_errors=True)
os.environ["NETCAIRN_VAR"] = os.environ["NETCAIRN_TEST_VAR"]

from config.settings import *  # noqa: F403
from config.settings import DATABASES

if DATABASES["default"]["ENGINE"] == "config.embedded_postgres":
    DATABASES["default"]["DURABLE"] = False
# A test that commits is cleaned up by emptying every table, the guarded one of the audit log as well.
DATABASES["default"]["OPTIONS"]["options"] = "-c netcairn.audit_may_be_emptied=yes"  # type: ignore[index]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
Q_CLUSTER = {**globals()["Q_CLUSTER"], "sync": False}
