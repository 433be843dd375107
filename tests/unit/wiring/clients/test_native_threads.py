"""Before a fork: threads of libraries that end are waited for, others not for long."""

from __future__ import annotations

from worker.wiring.clients.native_threads import native_threads, settle


def test_it_waits_until_those_that_end_have_ended() -> None:
    """A lock that such a thread holds would be held in the child for ever."""
    counted = [3, 2, 1]
    assert settle(1, 60.0, lambda: counted.pop(0))
    assert counted == []


def test_those_that_stay_are_not_waited_for() -> None:
    """A library's own pool does not end with the client."""
    assert not settle(0, 0.003, lambda: 1)


def test_python_s_own_threads_are_none_of_them() -> None:
    """What is counted before and after a client was there is the same."""
    assert settle(native_threads(), 60.0)
