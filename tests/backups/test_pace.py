"""How many devices at a time: found by itself, on models of devices and of the interpreter."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from backups import pace
from backups.crew import Crew, Gate
from backups.pace import FEWEST, FIRST, Pace

SECONDS = 40.0
STEP = 0.1


def paced(rate_of: Callable[[int], float], cpu_a_device: float, *, most: int = 100) -> float:
    """Devices a second in the second half of a simulated run."""
    pace, width, done, cpu, at_half = Pace(most, now=0.0, cpu=0.0), 0, 0.0, 0.0, 0.0
    for step in range(1, int(SECONDS / STEP) + 1):
        width = pace.width
        done += rate_of(width) * STEP
        cpu += rate_of(width) * STEP * cpu_a_device
        pace.look(now=step * STEP, cpu=cpu, ended=int(done), full=True)
        if step == SECONDS / STEP / 2:
            at_half = done
    return (done - at_half) / (SECONDS / 2)


def answering_at_once(width: int) -> float:
    """As measured: 220 a second with one thread, 172 with thirty."""
    return 220 - 1.65 * width


def far_away(width: int) -> float:
    """Each device takes half a second, and nothing else is in the way."""
    return width / 0.5


def behind_a_busy_machine(width: int) -> float:
    """Others take the cores, so that the interpreter never gets busy; twenty are as good as it gets."""
    return min(width, 20) * 5 - max(0, width - 20) * 0.4


@pytest.mark.parametrize(
    ("rate_of", "cpu_a_device"),
    [(answering_at_once, 0.0044), (far_away, 0.002), (behind_a_busy_machine, 0.004)],
)
def test_the_number_of_threads_comes_within_15_per_cent_of_the_best_by_itself(
    rate_of: Callable[[int], float], cpu_a_device: float
) -> None:
    """Nobody tunes this for each of a thousand sites, and what is right at noon is wrong over a slow link at night."""
    best = max(rate_of(width) for width in range(1, 101))

    assert paced(rate_of, cpu_a_device) >= 0.85 * best


def seconds_for(devices: int, width: int, by: Pace | None = None) -> float:
    """A run of so many devices that each let us wait for 0.4 s and take 4.5 ms of CPU, `width` or as the pace says."""
    now = cpu = done = 0.0
    while done < devices:
        now += STEP / 5
        ended = min(width / 0.4, 220) * STEP / 5 if now > 0.4 else 0  # nobody is back before
        done += ended
        cpu += min(width / 0.4, 220) * STEP / 5 * 0.0045
        width = by.look(now=now, cpu=cpu, ended=int(done), full=True) if by else width
    return now


@pytest.mark.parametrize("devices", [20, 400, 2000])
def test_a_short_run_is_not_over_before_the_number_is_found(devices: int) -> None:
    """Most runs are short: a site, a tag, what failed last night."""
    best = min(seconds_for(devices, min(width, devices)) for width in range(1, 101))

    found_out = Pace(100, now=0.0, cpu=0.0)

    assert seconds_for(devices, min(found_out.width, devices), found_out) <= best / 0.85


def test_the_first_that_come_back_say_how_many_to_send() -> None:
    """Most runs last for seconds: a number that is found by trying one after the other comes too late."""
    pace = Pace(100, now=0.0, cpu=0.0)

    pace.look(
        now=0.3, cpu=0.06, ended=4, full=True, waits=[49.0] * 4
    )  # 4 ms of CPU in 0.2 s, of which a fifth for others

    assert pace.width == 60


def test_who_waits_for_the_others_is_no_reason_to_send_more() -> None:
    """Devices on the same machine: sixty at a time took a third more CPU for each than four, and were no faster."""
    pace = Pace(100, now=0.0, cpu=0.0)

    pace.look(now=0.1, cpu=0.07, ended=12, full=True, waits=[8.0] * 12)

    assert pace.width <= 2 * FIRST


def test_devices_that_hang_do_not_keep_the_number_down() -> None:
    """Few threads are enough for quick devices, but not when each of them hangs on a dead one."""
    pace = Pace(100, now=0.0, cpu=0.0)
    for second in range(1, 20):
        pace.look(now=second, cpu=second * 0.95, ended=200 * second, full=True)
    few = pace.width

    for step in range(1, 8):  # nothing ends any more, and nothing is reckoned
        pace.look(now=20 + step * 0.3, cpu=19 * 0.95, ended=3800, full=True)

    assert (few, pace.width) == (FEWEST, 100)


def test_the_stock_follows_the_rate_from_the_first_moment() -> None:
    """A claim costs 15 ms whatever it brings: half of a run's were made for a few devices in its first second."""
    pace = Pace(100, now=0.0, cpu=0.0)

    pace.look(now=0.5, cpu=0.45, ended=100, full=True)

    assert pace.stock == 100


def test_who_comes_back_soon_after_another_is_taken_in_with_him(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes them in interrupts who talks to a device: nine hundred times in a run of 1,000."""
    crew: Crew[int, bool] = Crew(8)
    go_on = threading.Event()

    def others_come_back(_: float) -> None:
        go_on.set()
        while crew._back.qsize() < 8:  # a result is there a moment before it is brought
            threading.Event().wait(0.001)

    monkeypatch.setattr("backups.crew.sleep", others_come_back)
    crew.send(0, lambda: True)
    for number in range(1, 9):
        crew.send(number, lambda: go_on.wait(5))

    back = [errand for errand, _ in crew.back(patience=5)]
    crew.dismiss()

    assert sorted(back) == list(range(9))


def test_nobody_has_to_come_back_before_more_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first devices all hang, the others would wait for their deadlines."""
    monkeypatch.setattr(pace, "LOOK", 0.01)
    crew: Crew[int, bool] = Crew(100)
    go_on = threading.Event()
    for number in range(FIRST):
        crew.send(number, lambda: go_on.wait(5))

    list(crew.back(patience=0.05))
    width = crew._pace.width
    go_on.set()
    crew.dismiss()

    assert width > FIRST


def test_a_gate_lets_no_more_through_than_it_is_wide() -> None:
    """A site that allows ten sessions must not see eleven."""
    crew: Crew[int, int] = Crew(3)
    inside, most, count = 0, 0, threading.Lock()

    def visit() -> int:
        nonlocal inside, most
        with count:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.001)
        with count:
            inside -= 1
        return 1

    for number in range(30):
        crew.send(number, visit)
    back = []
    while crew.out:
        back += crew.back(patience=1)
    crew.dismiss()

    assert (sorted(errand for errand, _ in back), most) == (list(range(30)), 3)


def test_who_waits_at_the_gate_of_a_dismissed_crew_does_not_go() -> None:
    """After Ctrl-C no further device is logged in to."""
    crew: Crew[str, str] = Crew(8)
    crew._gate = Gate(1)
    begun, go_on, went = threading.Event(), threading.Event(), []

    def first() -> str:
        begun.set()
        go_on.wait(5)
        return "first"

    crew.send("first", first)
    begun.wait(5)
    crew.send("second", lambda: went.append("second") or "second")
    crew.dismiss()
    go_on.set()

    while crew.out:
        list(crew.back(patience=1))
    assert went == []
