"""gRPC's library: loaded so that it leaves forked processes alone, and no other process is told so."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NAME = "GRPC_ENABLE_FORK_SUPPORT"
PROGRAM = f"""\
import os
import transports.pubsub.library
print(os.environ.get("{NAME}"))
"""


@pytest.mark.parametrize("said", [None, "1"])
def test_the_environment_is_as_it_was(said: str | None) -> None:
    """Programs that a handler starts find what the operator has said, and no more."""
    kept = {name: value for name, value in os.environ.items() if name != NAME}
    if said is not None:
        kept[NAME] = said
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=kept, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(said)
