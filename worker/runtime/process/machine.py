"""The machine that this process runs on."""

from __future__ import annotations

import os
import random
import socket
import time

from worker.messaging.identity import Clock
from worker.messaging.machine import Machine
from worker.runtime.process.life import lives, myself


def this_machine(clock: Clock | None = None) -> Machine:
    """Describe the machine and this process; with a ``clock``, that one in place of the machine's."""
    return Machine(
        clock=clock or time.time,
        chance=random.Random().random,  # its own: an application may seed the one of all
        entropy=os.urandom,
        host=socket.gethostname(),
        pid=os.getpid(),
        me=myself(""),
        lives=lives,
    )
