"""What may be said of a command where it is sent: the same at every door."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.test_seconds import WRONG_SPANS
from worker.messaging.limits import delay_fault
from worker.seconds import LONGEST


@pytest.mark.parametrize("span", WRONG_SPANS)
def test_a_delay_is_refused_as_it_is_in_python(span: Any) -> None:
    """One place decides for HTTP, NDJSON and the command line, too."""
    assert delay_fault(span, inline=False) == f"expected seconds, 0 to {LONGEST:.0f}"


@pytest.mark.parametrize("span", [0.0, 1.5, LONGEST])
def test_a_delay_that_is_one_is_taken(span: float) -> None:
    """From none to ten years."""
    assert delay_fault(span, inline=False) is None
