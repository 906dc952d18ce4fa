"""``python -m tests.config``: the whole walk over all addresses (`walk.py`), and over builds that leak.

``--only WORD`` walks the routes with that word only, ``--share N`` one of N for each role; the rest is for pytest.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys

import pytest

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--only", default="")
parser.add_argument("--share", type=int, default=1)
options, others = parser.parse_known_args()
os.environ |= {"NETCAIRN_FULL_WALK": "1", "NETCAIRN_WALK_ONLY": options.only, "NETCAIRN_WALK_SHARE": str(options.share)}
logging.disable(logging.CRITICAL)  # some thousand refusals are what is wanted, and not what is to be read
sys.exit(pytest.main(["-q", "-s", "--show-capture=no", "-p", "no:cacheprovider", "tests/config/test_walk.py", *others]))
