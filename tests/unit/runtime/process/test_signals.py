"""Signals: the first asks to finish, the second interrupt forces, and no handler keeps them away."""

from __future__ import annotations

import os
import signal
import time

from tests.unit.runtime.house import until
from worker.runtime.process.signals import stop_signals


async def test_term_and_the_first_interrupt_stop_and_the_second_forces() -> None:
    """Each signal asks to stop by its name, and only a repeated INT forces; afterwards all is as before."""
    before = signal.getsignal(signal.SIGTERM)
    seen: list[str] = []
    with stop_signals(seen.append, lambda: seen.append("force")):
        for number, count in (
            (signal.SIGTERM, 1), (signal.SIGTERM, 2), (signal.SIGINT, 3), (signal.SIGINT, 5),
        ):  # fmt: skip
            os.kill(os.getpid(), number)
            await until(lambda wanted=count: len(seen) == wanted)
    assert seen == ["SIGTERM", "SIGTERM", "SIGINT", "force", "SIGINT"]
    assert signal.getsignal(signal.SIGTERM) == before


async def test_a_signal_is_heard_while_the_loop_is_held_up() -> None:
    """The time of the end is set without waiting for the handler that holds up the loop; all else waits for it."""
    heard: list[str] = []
    asked: list[str] = []
    with stop_signals(asked.append, lambda: heard.append("force"), heard=heard.append):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGINT):
            os.kill(os.getpid(), number)
            time.sleep(0)
        assert heard == ["SIGHUP", "SIGINT", "SIGINT", "force"]
        assert not asked
        await until(lambda: len(asked) == 3)


async def test_signals_are_taken_back_from_a_handler() -> None:
    """One that ignores them, sets its own or takes the loop's way of waking up has them for a moment only."""
    seen: list[str] = []
    with stop_signals(seen.append, lambda: None, look=0.001):
        ours = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, lambda *_: None)
        signal.set_wakeup_fd(-1)
        await until(
            lambda: signal.getsignal(signal.SIGTERM) is ours and signal.getsignal(signal.SIGHUP) is ours
        )
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: seen == ["SIGTERM"])


async def test_a_child_does_not_pass_its_signals_on() -> None:
    """A child that has the handlers still ends by the signal, and does not ask the worker to stop."""
    seen: list[str] = []
    with stop_signals(seen.append, lambda: None, heard=seen.append):
        child = os.fork()
        if not child:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM
        assert not seen


async def test_a_timer_that_a_handler_left_behind_ends_nobody() -> None:
    """By default ``SIGPROF`` and ``SIGXCPU`` end the process; a handler's own for such a signal stays its own."""
    own: list[int] = []
    before = signal.getsignal(signal.SIGVTALRM)
    try:
        signal.signal(signal.SIGVTALRM, lambda number, _: own.append(number))
        with stop_signals(lambda name: None, lambda: None):
            os.kill(os.getpid(), signal.SIGPROF)
            os.kill(os.getpid(), signal.SIGXCPU)
            os.kill(os.getpid(), signal.SIGVTALRM)
            await until(lambda: own == [signal.SIGVTALRM])
            signal.setitimer(signal.ITIMER_PROF, 3600.0)
        assert signal.getitimer(signal.ITIMER_PROF)[0] == 0.0
        assert signal.getsignal(signal.SIGPROF) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGVTALRM, before)
