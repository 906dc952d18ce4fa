"""Settings of the test suite: a `var` of its own for each run, and a database that may forget at a power cut."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile

if sys.dont_write_bytecode:
    # The suite starts some forty Pythons, and compiling everything is more than half of what each of them does. A place
    # of its own for the bytecode would hide what the packages of `.venv` came with.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

if "NETCAIRN_TEST_VAR" not in os.environ:
    # Made once by the controlling process; its pytest-xdist workers inherit the name, and so share one server.
    os.environ["NETCAIRN_TEST_VAR"] = tempfile.mkdtemp(prefix="netcairn-test-")
    atexit.register(shutil.rmtree, os.environ["NETCAIRN_TEST_VAR"], ignore_errors=True)
os.environ["NETCAIRN_VAR"] = os.environ["NETCAIRN_TEST_VAR"]

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STATIC_ROOT

# `prepare` makes it where Netcairn is served; without it WhiteNoise warns in every test that asks for a page.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)

if DATABASES["default"]["ENGINE"] == "config.embedded_postgres":
    DATABASES["default"]["DURABLE"] = False
# A test that commits is cleaned up by emptying every table, the guarded one of the audit log as well.
# No test cuts the power of a server, so none waits for its disk: with DATABASE_URL, each commit would.
DATABASES["default"]["OPTIONS"]["options"] = (  # type: ignore[index]
    "-c netcairn.audit_may_be_emptied=yes -c synchronous_commit=off"
)

NETCAIRN_SECRETS_KEYS_READER = None  # tests say themselves which keys there are

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
Q_CLUSTER = {**globals()["Q_CLUSTER"], "sync": False}
