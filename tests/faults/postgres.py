"""A PostgreSQL to break, as state and as transport at once, and a flow of commands over it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from tests.brokers.postgres import OwnPostgres
from tests.e2e.project import Project
from tests.faults.flow import Flow
from tests.faults.load import id_of
from tests.faults.onlooker import Onlooker
from tests.proxy.proxy import Proxy

HELD = """SELECT message_id FROM transport_messages AS m JOIN transport_queues AS q ON q.id = m.queue
    WHERE q.name = 'flow-take' AND m.lease IS NOT NULL"""


class Postgres:
    """One database of a server that a module of tests has to itself.

    Attributes:
        proxy: what the workers and the intake connect through.
        steady: seconds for which a count must stay the same: what was asked last is being done.
        young: seconds that the queues must have been there before the server may be killed.
        lease: workers ask for what they take, and a request waits for nothing.
        copied: nothing is: the server keeps what it has confirmed.
    """

    steady = 0.5
    young = 0.0
    lease = math.inf
    copied = False

    def __init__(self, server: OwnPostgres, url: str, proxy: Proxy) -> None:
        self.server = server
        self.proxy = proxy
        self._url = url
        self._onlooker = Onlooker(url)

    def flow(self, project: Project, *, near_state: bool = False) -> Flow:
        """Commands over this database, which holds their state, too: by the breakable line, or by one of its own."""
        parts = urlsplit(self._url)
        far = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{self.proxy.port}"))
        return Flow(
            project,
            ("postgres", far),
            self,
            options="lease = 5",
            database=self._url if near_state else far,
            seen=self._url,
        )

    def hang_up(self) -> None:
        """End every connection."""
        self.proxy.cut()

    def close(self) -> None:
        """Look no more."""
        self._onlooker.close()

    def waiting(self) -> int:
        """Messages on all queues, in hand or not."""
        return len(self._ids("SELECT message_id FROM transport_messages"))

    def held(self) -> int:
        """Commands to note that are handed out and not settled, while no worker moves."""
        return len(self._ids(HELD))

    def unsettled(self, begun: Collection[int]) -> int:
        """How many of those that were begun are not settled, while no worker moves."""
        return len({id_of(number) for number in begun}.intersection(self._ids(HELD)))

    def _ids(self, statement: str) -> list[str]:
        return [str(row[0]) for row in self._onlooker.rows(statement)]


@contextmanager
def postgres(server: OwnPostgres) -> Iterator[Postgres]:
    """A database for one test, removed afterwards, with a proxy before it."""
    with server.fresh() as url, Proxy(urlsplit(url).port or 5432) as proxy:
        made = Postgres(server, url, proxy)
        try:
            yield made
        finally:
            made.close()
