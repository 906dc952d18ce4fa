"""How many captures are written down together: as many as go without holding the tenant's lock for long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from backups.group import BRIEFLY, GROUP_BYTES, LONG_TURN, SMALLEST, Decided, Group
from backups.models import Attempt

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LARGE = 100_000  # bytes
AT_THE_UTMOST = 0.25  # seconds that nobody who waits for the lock shall wait longer than


class Large(Decided):
    """A capture of 100 KB."""

    size = LARGE


def turns(held: Callable[[int], float], count: int = 30) -> list[tuple[int, float]]:
    """The bytes of each of so many full groups, and the seconds it took where writing so many takes `held(bytes)`."""
    group, seen = Group(), []
    for _ in range(count):
        while not group.full:
            group.add(Large(Attempt()), NOON)
        size = LARGE * len(group.decided)
        seen.append((size, held(size)))
        group = group.following(held(size))
    return seen


def quiet(size: int) -> float:
    """A turn takes 30 ms, and 10 for each MB."""
    return 0.03 + 0.010 * size / 2**20


def busy(size: int) -> float:
    """Three times what was measured."""
    return 0.09 + 0.060 * size / 2**20


def test_on_a_quiet_machine_groups_become_as_large_as_they_may_be() -> None:
    """Each turn has its price, and a whole run must not take a quarter longer than collecting alone."""
    sizes = [size for size, _ in turns(quiet)]

    assert sizes[0] < SMALLEST + LARGE
    assert sizes[-1] >= GROUP_BYTES


@pytest.mark.parametrize("held", [quiet, busy])
def test_no_turn_is_longer_than_others_may_wait(held: Callable[[int], float]) -> None:
    """Who accepts a quarantined version during the nightly run waits for the lock with a browser in front of him."""
    assert max(seconds for _, seconds in turns(held)) <= AT_THE_UTMOST


@pytest.mark.parametrize(("waited", "keeps"), [(0.0, False), (BRIEFLY, True)])
def test_places_that_others_wait_for_are_kept_for_a_moment_only(waited: float, keeps: bool) -> None:
    """With a limit of eight, 60 captures became 44 commits when none was kept back, and 300 became 80."""
    group = Group()
    group.add(Large(Attempt()), NOON)

    assert group.keeps_places(NOON + timedelta(seconds=waited)) == keeps


def test_a_machine_that_becomes_busy_gets_smaller_groups() -> None:
    """A backup of the server at three in the morning must not hold up everybody else."""
    group = Group(most=GROUP_BYTES)

    assert [group := group.following(2 * LONG_TURN) for _ in range(3)][-1].most == SMALLEST


def test_a_group_that_was_not_full_says_nothing_about_larger_ones() -> None:
    """A trickle of devices is written quickly, and a hundred large ones after it are not."""
    trickle = Group()
    trickle.add(Decided(Attempt()), NOON)

    assert trickle.due(NOON + timedelta(seconds=2))
    assert trickle.following(0.03).most == SMALLEST
