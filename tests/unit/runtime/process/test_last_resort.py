"""The last resort: the end that no handler can hold up."""

from __future__ import annotations

import threading

import pytest

from worker.runtime.process import last_resort
from worker.runtime.process.last_resort import LastResort


class Ends:
    """Takes the exit code in place of ending the process."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.ended = threading.Event()
        self.last_resort = LastResort(self)

    def __call__(self, code: int) -> None:
        self.codes.append(code)
        self.ended.set()


def test_it_ends_the_process_when_the_time_is_over() -> None:
    """With the exit code that was asked for, also while this thread holds up everything else."""
    ends = Ends()
    ends.last_resort.arm(0.001, 0)
    assert ends.ended.wait(10)
    assert ends.codes == [0]


def test_the_earliest_end_counts() -> None:
    """A second interrupt does not wait for the graceful timeout, and a later signal grants no more time."""
    ends = Ends()
    for seconds, code in ((3600.0, 0), (0.0, 1), (7200.0, 0)):
        ends.last_resort.arm(seconds, code)
    assert ends.ended.wait(10)
    assert ends.codes == [1]


def test_it_ends_the_process_though_nothing_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory for a thread, or a log that raises."""

    def no_room() -> None:
        raise MemoryError

    monkeypatch.setattr(last_resort, "say_where", no_room)
    ends = Ends()
    ends.last_resort.arm(0.001, 0)
    assert ends.ended.wait(10)
