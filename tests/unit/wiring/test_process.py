"""What one process is called among all workers."""

from __future__ import annotations

import random

from worker.runtime.process.machine import this_machine


def test_an_application_that_seeds_its_random_numbers_shares_its_name_with_nobody() -> None:
    """In a container each start has the same host and process id; deaths are remembered by the name."""
    state = random.getstate()
    names = set()
    for _ in range(3):
        random.seed(1)
        names.add(this_machine().process_name())
    random.setstate(state)
    assert len(names) == 3
