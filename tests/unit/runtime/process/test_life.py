"""Whether a process still runs."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from worker.runtime.process.life import lives, myself


def test_a_process_that_runs_lives_and_one_that_has_ended_does_not() -> None:
    """Also while its exit code has not been asked for; and an id that was given to another process is not it."""
    me = myself("me")
    assert lives(me) is True
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        other = msgspec.structs.replace(me, pid=child.pid)
        assert lives(other) is (not me.born)  # born at another time, where the system tells
        assert child.stdin is not None
        child.stdin.close()
        child.wait()
        assert lives(other) is False


def test_of_a_process_elsewhere_nothing_is_known() -> None:
    """Its id means another process here, or none."""
    assert lives(msgspec.structs.replace(myself("me"), place="elsewhere")) is None
