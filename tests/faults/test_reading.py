"""A sample of the campaign in `tests/faults/reading.py`."""

from __future__ import annotations

from tests.faults.reading import campaign


def test_no_fuzzed_output_is_believed_that_should_not_be() -> None:
    """Half a configuration called good is found out when it is put back."""
    tally = campaign(100, seed=1)

    assert tally.holds(), tally.first_problem
    assert tally.good >= 20
    assert tally.failed >= 20
