"""The steady clock: steps of the wall clock are made up for, and agreed on by all that share what is stored."""

from __future__ import annotations

import time

import pytest

from tests.conformance.clock import Clock
from worker.messaging.steady import SharedClock, SteadyClock


@pytest.mark.parametrize("step", [3600.0, -3600.0, 2.0, -2.0, 1e9])
def test_a_step_is_made_up_for(step: float) -> None:
    """Set forward or back, the wall clock changes nothing; what passes, passes."""
    clock = Clock()
    steady = SteadyClock(clock)
    began = steady()
    clock.advance(5)
    clock.step(step)
    clock.advance(5)
    assert steady() - began == pytest.approx(10)
    clock.step(-step)
    assert steady() - began == pytest.approx(10)


def test_small_corrections_are_followed() -> None:
    """Many small ones add up to no step, and stay within reach of the wall clock."""
    clock = Clock()
    steady = SteadyClock(clock)
    for _ in range(20):
        clock.step(0.5)
        assert steady() == pytest.approx(clock())
    assert not steady.stepped
    assert steady.skew == 0


def test_what_is_no_clock_of_a_machine_is_taken_as_it_is() -> None:
    """A test's clock that is moved without a monotonic one of its own has not been set: time has passed."""
    now = [100.0]
    steady = SteadyClock(lambda: now[0])
    now[0] = 5000.0
    assert steady() == 5000.0


def test_processes_agree_on_a_step_through_what_is_stored() -> None:
    """The first that sees a step says what is to be stored, the others take it over, whenever they started."""
    clock = Clock()
    first, second = SteadyClock(clock), SteadyClock(clock)
    stored = 0.0
    clock.step(-3600)
    late = SteadyClock(clock)  # begins by what is stored, which is not right yet
    late.reconcile(stored)
    corrected = first.reconcile(stored)
    assert corrected == pytest.approx(3600)
    stored = corrected
    assert second.reconcile(stored) is None
    assert late.reconcile(stored) is None
    assert first.reconcile(stored) is None
    assert first() == second() == late() == pytest.approx(clock.monotonic())


def test_the_machines_own_clock_goes_on() -> None:
    """Over the real clocks it is the wall clock as long as that is not set."""
    assert SteadyClock(time.time)() == pytest.approx(time.time(), abs=0.5)


def test_a_process_stopped_between_two_looks_sees_no_step() -> None:
    """The clocks are read anew when time has passed between them."""
    clock = Clock()
    steady = SteadyClock(clock)
    began = steady()
    read = clock.__call__
    stops = [60.0]

    class Stopping:
        monotonic = clock.monotonic

        def __call__(self) -> float:
            if stops:
                clock.advance(stops.pop())
            return read()

    steady._wall = Stopping()
    assert steady() - began == pytest.approx(60)
    assert not steady.stepped


def test_a_slow_answer_says_nothing_about_a_clock_of_this_machine() -> None:
    """What is stored in a file took a second to be read: the time is that of the machine all the same."""
    clock = Clock()
    shared = SharedClock(clock)
    for slow in (1.0, 0.0, 0.6):
        begun = shared.begin()
        clock.advance(slow)
        assert shared.judge(begun, wall=0.0, skew=0.0, seen=clock()).skew is None
        assert shared() == pytest.approx(clock())


def test_a_slow_answer_is_half_as_far_off_at_most() -> None:
    """A server's clock was read somewhere between question and answer."""
    shared = SharedClock(None)
    begun = shared.begin() - 1.0
    shared.judge(begun, wall=5000.0, skew=0.0, seen=5000.0)
    assert shared() == pytest.approx(5000.5, abs=0.1)
