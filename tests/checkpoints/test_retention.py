"""The rules of retention: what they keep is exactly what the words say, whatever the clocks did."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoints.retention import Era, Moment, Policy, drops_many, judge, needs_cut
from tests.checkpoints.retention_model import epochs, eras_by_model, histories, kept_by_model, policies

# By hand: NETCAIRN_HISTORIES=1000 pytest tests/checkpoints/test_retention.py
HISTORIES = int(os.environ.get("NETCAIRN_HISTORIES") or 60)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def moment(seq: int, at: datetime, **fields: object) -> Moment:
    """A checkpoint whose id is its place."""
    return Moment(UUID(int=seq), seq, at, **fields)  # type: ignore[arg-type]


def kept(policy: Policy, *moments: Moment, now: datetime = NOON) -> list[int]:
    """The places of those that stay."""
    return sorted(one.of.seq for one in judge(policy, moments, [], now=now).moments if one.kept)


@settings(max_examples=HISTORIES, deadline=None)
@given(data=st.data())
def test_what_is_kept_is_what_an_independent_model_keeps(data: st.DataObject) -> None:
    """Capability E15: across summer time, equal timestamps and clocks that were set, not one more and not one less."""
    history, now = data.draw(histories())
    policy, eras = data.draw(policies()), data.draw(epochs(now))

    found = judge(policy, history, eras, now=now)

    assert {one.of.id for one in found.moments if one.kept} == kept_by_model(policy, history, now)
    assert {one.of.number for one in found.eras if one.kept} == eras_by_model(policy, history, eras, now)


def test_the_default_keeps_everything() -> None:
    """Nobody loses a version because they have not yet thought about it."""
    assert kept(Policy(), *(moment(at, NOON - timedelta(days=400 * at)) for at in range(9))) == list(range(9))


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        (Policy(everything=False), "without any rule"),
        (Policy(everything=True, daily=7), "contradict"),
        (Policy(everything=False, last=-1), "last"),
        (Policy(everything=False, within=timedelta(days=-1)), "days"),
        (Policy(everything=False, last=1, zone="Mars/Olympus"), "time zone"),
        (Policy(everything=False, last=1, zone="../../etc/passwd"), "time zone"),
    ],
)
def test_a_policy_that_is_empty_or_contradicts_itself_is_refused(policy: Policy, word: str) -> None:
    """A slip in a form must not be read as the wish to delete."""
    assert any(word in problem for problem in policy.problems())
    with pytest.raises(ValueError, match=word):
        judge(policy, [], [], now=NOON)


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    """In Paris 02:30 came twice on 25 October 2026; one of the two moments must not hide the other."""
    first, second = (moment(n, datetime(2026, 10, 25, n - 1, 30, tzinfo=UTC)) for n in (1, 2))

    assert kept(Policy(everything=False, hourly=2, zone="Europe/Paris"), first, second, now=second.at) == [1, 2]


def test_a_clock_that_was_set_back_costs_nobody_a_young_checkpoint() -> None:
    """The record knows the order; a clock that stood at 2020 for an hour is no reason to expire what was made then."""
    old, strayed = moment(1, NOON - timedelta(hours=2)), moment(2, NOON - timedelta(days=2000))

    assert kept(Policy(everything=False, within=timedelta(days=1)), old, strayed) == [1, 2]


def test_a_checkpoint_of_chosen_devices_stands_for_no_day_of_the_tenant() -> None:
    """One device named at 18:00 must not take the place of the whole tenant of 17:00."""
    whole, part = moment(1, NOON), moment(2, NOON + timedelta(hours=1), whole=False)

    assert kept(Policy(everything=False, daily=1), whole, part, now=part.at) == [1, 2]


def test_every_reason_is_said() -> None:
    """Who asks why something is still there gets all of the answer."""
    one = moment(1, NOON, refs=("HEAD",), protected=True, tags=("audit",))
    policy = Policy(everything=False, last=1, daily=1, tags=frozenset({"audit"}), hold="case 12")

    (verdict,) = judge(policy, [one], [], now=NOON).moments

    assert [str(reason) for reason in verdict.reasons] == [
        "legal hold: case 12",
        "protected",
        "named: HEAD",
        "tagged: audit",
        "last: 1 of 1",
        "daily: 2026-03-01",
    ]


def test_a_change_that_drops_more_than_a_fifth_is_many() -> None:
    """The moment to ask once more."""
    line = [moment(at, NOON + timedelta(minutes=at)) for at in range(10)]
    before = judge(Policy(), line, [], now=NOON)
    after = {n: judge(Policy(everything=False, last=n), line, [], now=NOON) for n in (8, 7)}

    assert (drops_many(before, after[8]), drops_many(before, after[7])) == (False, True)


def test_an_epoch_ends_when_it_is_long_enough_and_something_may_go() -> None:
    """A policy that keeps everything has one epoch for ever."""
    line = [moment(at, NOON) for at in range(1, 9)]
    began, policy = NOON - timedelta(days=10), Policy(everything=False, within=timedelta(days=30), last=16)

    assert needs_cut(policy, line, began=began, first_seq=1, now=NOON)
    assert not needs_cut(policy, line, began=NOON - timedelta(days=7), first_seq=1, now=NOON)
    assert not needs_cut(policy, line, began=began, first_seq=6, now=NOON)
    assert not needs_cut(Policy(), line, began=began, first_seq=1, now=NOON)


def test_the_epoch_with_a_devices_last_good_version_stays() -> None:
    """Whatever the policy: the last thing known of a device is never thrown away."""
    eras = [Era(1, 1, 5, NOON - timedelta(days=900), last_good=True), Era(2, 6, 9, NOON - timedelta(days=800))]

    assert judge(Policy(everything=False, last=1), [], eras, now=NOON).dropped_eras == (2,)
