"""A Pub/Sub emulator to break, and a flow of commands over it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from tests.brokers.pubsub import OwnPubsub
from tests.deep import size
from tests.e2e.project import Project
from tests.faults.flow import IN_HAND, Flow
from tests.faults.load import id_of
from tests.proxy.proxy import Proxy

COMMANDS = size(800, 10_000)
"""Of each flow."""
LEASE = 10
"""Seconds: the shortest that Pub/Sub takes."""
JUST_DONE = 100
"""What a worker does at most in the tenth of a second from one acknowledgement to the next, and while that is on its way."""
HELD = "SELECT message_id FROM worker_copies WHERE queue = 'flow-take'"


class Pubsub:
    """One project on an emulator that a module of tests has to itself.

    The emulator cannot be asked what waits; the copies that the programs keep of all that is not done with can.

    Attributes:
        proxy: what the workers and the intake connect through.
        steady: seconds for which a count must stay the same: what was asked last is being done.
        young: seconds that the queues must have been there before the server may be killed.
        lease: of what is handed out, which the programs think over a little earlier than the emulator.
        copied: the intake's copies are published again.
    """

    steady = 0.5
    young = 0.0
    lease = LEASE * 0.9
    copied = True

    def __init__(self, server: OwnPubsub, proxy: Proxy) -> None:
        self.server = server
        self.proxy = proxy
        self._project: Project | None = None

    def flow(self, project: Project, *, near_state: bool = True) -> Flow:
        """Commands over this emulator; their state always is a file."""
        self._project = project
        options = f'emulator_host = "127.0.0.1:{self.proxy.port}"\nlease = {LEASE}'
        url = f"pubsub://t{uuid.uuid4().hex[:12]}"
        return Flow(project, ("pubsub", url), self, options=options, commands=COMMANDS)

    def hang_up(self) -> None:
        """End every connection."""
        self.proxy.cut()

    def waiting(self) -> int:
        """Messages on all queues, in hand or not."""
        return len(self._ids("SELECT message_id FROM worker_copies"))

    def held(self) -> int:
        """At most so many commands to note are handed out and not settled; which of them, only the emulator knows."""
        return min(len(self._ids(HELD)), IN_HAND)

    def unsettled(self, begun: Collection[int]) -> int:
        """How many of those that were begun are not settled, while no worker moves.

        A worker acknowledges what it did ten times a second: what it has just done has no copy any more, and comes again.
        """
        return len({id_of(number) for number in begun}.intersection(self._ids(HELD))) + JUST_DONE

    def _ids(self, statement: str) -> list[str]:
        assert self._project is not None
        return [str(row[0]) for row in self._project.rows(statement)]


@contextmanager
def pubsub(server: OwnPubsub) -> Iterator[Pubsub]:
    """A project for one test, with a proxy before it."""
    with Proxy(int(server.host.rpartition(":")[2])) as proxy:
        yield Pubsub(server, proxy)
