"""An address that is taken is refused with what to do about it."""

from __future__ import annotations

import pytest

from worker.errors import ConfigurationError
from worker.wiring.serving.binding import bind, check_free


def test_a_port_in_use_names_both_options_that_choose_one() -> None:
    """The intake's, and that of a worker's probes: either may have wanted it."""
    with bind("127.0.0.1", 0, shared=False) as taken:
        port = taken.getsockname()[1]
        for take in (lambda: bind("127.0.0.1", port, shared=False), lambda: check_free("127.0.0.1", port)):
            with pytest.raises(ConfigurationError, match=rf"127.0.0.1:{port}.* --port, .*--health-port"):
                take()
