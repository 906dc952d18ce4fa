"""``python -m tests.config``: the whole walk over all addresses (`walk.py`), and over builds that leak."""

from __future__ import annotations

import logging
import os
import sys

import pytest

os.environ["NETCAIRN_FULL_WALK"] = "1"
logging.disable(logging.CRITICAL)  # some thousand refusals are what is wanted, and not what is to be read
sys.exit(
    pytest.main(["-q", "-s", "--show-capture=no", "-p", "no:cacheprovider", "tests/config/test_walk.py", *sys.argv[1:]])
)
