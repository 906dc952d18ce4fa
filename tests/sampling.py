"""What the suite takes a sample of, and the run of the long ones takes whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], kept: Collection[Any]) -> list[Any]:
    """For `parametrize`: the kept ones as they are, all others marked `long`. Values may be rows of arguments."""
    return [value if value in kept else as_long(value) for value in values]


def as_long(value: Any) -> Any:
    """A value, or a row of them, in the run of the long ones."""
    return pytest.param(*(value if isinstance(value, tuple) else [value]), marks=pytest.mark.long)
