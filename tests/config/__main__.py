"""``python -m tests.config``: the whole walk over all addresses (`walk.py`), and over builds that leak."""

from __future__ import annotations

import os
import sys

import pytest

os.environ["NETCAIRN_FULL_WALK"] = "1"
sys.exit(pytest.main(["-q", "-s", "--show-capture=no", "-p", "no:cacheprovider", "tests/config/test_walk.py"]))
