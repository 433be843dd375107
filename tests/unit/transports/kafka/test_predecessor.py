"""A process that is started in place of one that died joins once its group has noticed that."""

import pytest

from transports.kafka.predecessor import MARK, patience
from worker.runtime.process.supervisor import DEATH_MARK
from worker.settings.environment import INTERNAL


@pytest.mark.parametrize(
    ("mark", "seconds"),
    [("100.0", 4.5), ("93.0", 0.0), ("900.0", 6.5), ("nan?", 0.0), ("-inf", 0.0), (None, 0.0)],
)
def test_it_waits_until_the_dead_ones_session_is_over(mark, seconds):
    """Never longer than a session, whatever it was told; without a predecessor not at all."""
    environment = {} if mark is None else {MARK: mark}
    assert patience(6.0, environment, lambda: 102.0) == seconds


def test_the_supervisor_tells_it():
    """By a mark that is no setting."""
    assert MARK == DEATH_MARK
    assert MARK in INTERNAL
