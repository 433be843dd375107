"""--reload: one child at a time, replaced and ended on request."""

import signal
import sys

import pytest

from worker.cli.reload import Reloader


@pytest.fixture
def start():
    """Start a child that lives until it is told to end."""
    started = []

    def make(program):
        started.append(Reloader([sys.executable, "-c", program], 5.0))
        return started[-1]

    yield make
    for reloader in started:
        reloader._child.kill()
        reloader.wait()


def test_a_child_that_is_done_ends_the_program(start):
    """A child that ends by itself with 0 is done; nothing is started again."""
    reloader = start("")
    assert reloader.wait() == 0
    assert reloader.ended()


def test_a_child_that_failed_waits_for_a_change(start, capsys):
    """A child that failed is told once, and started again with the next change."""
    reloader = start("raise SystemExit(2)")
    reloader.wait()
    assert not reloader.ended()
    assert not reloader.ended()
    assert capsys.readouterr().err == "ended with exit code 2; waiting for a change\n"
    failed = reloader._child
    reloader.restart(["app.py"])
    assert reloader._child is not failed
    assert "changed: app.py; restarting" in capsys.readouterr().err


def test_a_child_is_told_whose_it_is(start):
    """It ends with this process, however early that one dies."""
    reloader = start("import os; raise SystemExit(os.environ['WORKER_PARENT'] != str(os.getppid()))")
    assert reloader.wait() == 0


def test_a_signal_is_passed_on_and_nothing_is_started_after_it(start):
    """TERM reaches the child; a change that comes with it starts no other."""
    reloader = start("import time; time.sleep(60)")
    child = reloader._child
    reloader.forward(signal.SIGTERM, None)
    assert reloader.wait() == -signal.SIGTERM
    reloader.restart(["app.py"])
    assert reloader._child is child
