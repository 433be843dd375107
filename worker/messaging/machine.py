"""The machine that a process runs on, as far as its work depends on it; a simulation gives another.

What has to do with time that passes is not here: pauses, timeouts and tasks go by the running loop, which a simulation
gives too.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from worker.messaging.identity import Clock, Entropy
from worker.messaging.suspicion import Holder


class Machine(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A clock, chance, and who this process is among others.

    Attributes:
        clock: seconds since the epoch.
        chance: a random number in [0, 1), for jitter.
        entropy: so many random bytes, for ids and names.
        host: name of the machine, for people.
        pid: process id, for people.
        me: this process, as others look for it; without a name.
        lives: whether a process still runs; None where it is of another place.
    """

    clock: Clock
    chance: Callable[[], float]
    entropy: Entropy
    host: str
    pid: int
    me: Holder
    lives: Callable[[Holder], bool | None]

    def process_name(self) -> str:
        """Make a name for this process among all workers: host, process id and a random part."""
        return f"{self.host}-{self.pid}-{self.entropy(4).hex()}"
