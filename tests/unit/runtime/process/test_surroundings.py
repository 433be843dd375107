"""Limits of the process that a handler lowers for all of its neighbours."""

from __future__ import annotations

import resource
import sys

from structlog.testing import capture_logs

from tests.unit.runtime.house import until
from worker.runtime.process.surroundings import Surroundings, surroundings_kept


async def test_limits_that_a_handler_has_lowered_are_set_back() -> None:
    """Of recursion, open files and processor time; the log names them."""
    recursion, files = sys.getrecursionlimit(), resource.getrlimit(resource.RLIMIT_NOFILE)
    processor = resource.getrlimit(resource.RLIMIT_CPU)
    with capture_logs() as lines, surroundings_kept(look=0.001):
        sys.setrecursionlimit(recursion - 1)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files[0] - 1, files[1]))
        resource.setrlimit(resource.RLIMIT_CPU, (100_000, processor[1]))
        await until(
            lambda: (
                (sys.getrecursionlimit(), resource.getrlimit(resource.RLIMIT_NOFILE)) == (recursion, files)
            )
        )
    assert lines[0]["limits"] == ["recursion limit", "RLIMIT_NOFILE", "RLIMIT_CPU"]
    assert resource.getrlimit(resource.RLIMIT_CPU) == processor


def test_limits_that_were_raised_stay() -> None:
    """A handler may need more than the application started with."""
    before = sys.getrecursionlimit()
    surroundings = Surroundings()
    sys.setrecursionlimit(before + 1)
    try:
        assert surroundings.restore() == []
        assert sys.getrecursionlimit() == before + 1
    finally:
        sys.setrecursionlimit(before)
