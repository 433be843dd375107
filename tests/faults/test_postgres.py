"""PostgreSQL, as state and as transport at once, fails while commands flow: nothing is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.brokers.postgres import OwnPostgres
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.flow import Flow
from tests.faults.load import id_of
from tests.proxy.proxy import Proxy

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("postgres-faults"),
]


HELD = """SELECT message_id FROM transport_messages AS m JOIN transport_queues AS q ON q.id = m.queue
    WHERE q.name = 'flow-take' AND m.lease IS NOT NULL"""


class Place:
    """One database of a server that this module of tests has to itself.

    Attributes:
        proxy: what the workers and the intake connect through.
        steady: seconds for which a count must stay the same: what was asked last is being done.
    """

    steady = 0.5

    def __init__(self, server: OwnPostgres, url: str, proxy: Proxy) -> None:
        self.server = server
        self.proxy = proxy
        self._url = url

    def flow(self, project: Project, *, state_too: bool = True) -> Flow:
        """Commands over this database, which holds their state, too; by the breakable line or not."""
        parts = urlsplit(self._url)
        far = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{self.proxy.port}"))
        return Flow(
            project,
            ("postgres", far),
            self,
            options="lease = 5",
            database=far if state_too else self._url,
            seen=self._url,
        )

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
        async def fetch() -> list[str]:
            connection = await asyncpg.connect(self._url, timeout=20)
            try:
                return [str(row[0]) for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        return asyncio.run(fetch())


@pytest.fixture(scope="module")
def server(private_broker: Callable[..., Any]) -> OwnPostgres:
    """A server that only these tests break."""
    own: OwnPostgres = private_broker("postgres")
    return own


@pytest.fixture
def place(server: OwnPostgres, project: Project) -> Iterator[Place]:
    """A database for one test."""
    with server.fresh() as url, Proxy(urlsplit(url).port or 5432) as proxy:
        yield Place(server, url, proxy)
        project.close()


def part(flow: Flow, share: float) -> None:
    """Wait until so much of the work is done."""
    flow.until_stored(int(flow.commands * share))


def test_server_restarted(place: Place, project: Project) -> None:
    """A server that is stopped in order and started again gets its workers back, and keeps what it had."""
    with place.flow(project) as flow:
        part(flow, 0.25)
        with flow.fault():
            place.server.stop()
        place.server.start()
        print(f"back in {flow.until_back():.1f} s")
        flow.finish()


def test_server_killed(place: Place, project: Project) -> None:
    """What was committed before ``kill -9`` is handled after it, twice."""
    with place.flow(project) as flow:
        for share in (0.2, 0.4):
            part(flow, share)
            with flow.fault():
                place.server.kill()
            place.server.start()
        print(f"back in {flow.until_back():.1f} s")
        flow.finish()


def test_connections_cut(place: Place, project: Project) -> None:
    """Connections that are reset, several times, are opened again."""
    with place.flow(project) as flow:
        for share in (0.2, 0.3, 0.4):
            part(flow, share)
            with flow.fault():
                place.proxy.cut()
        print(f"back in {flow.until_back():.1f} s")
        flow.finish()


def test_half_open_connections(place: Place, project: Project) -> None:
    """Connections that swallow everything and are never closed are noticed, and replaced."""
    with place.flow(project, state_too=False) as flow:
        part(flow, 0.25)
        with flow.fault():
            place.proxy.strand()
        print(f"back in {flow.until_back():.1f} s")
        flow.finish()


def test_network_frozen_for_a_while(place: Place, project: Project) -> None:
    """While nothing passes, on new connections either, nothing is lost; afterwards they work again."""
    with place.flow(project, state_too=False) as flow:
        part(flow, 0.25)
        with flow.fault():
            place.proxy.freeze()
        until(lambda: flow.intake.client.get("/readyz").status_code == 503, "the intake says so", 60)
        place.proxy.clear()
        print(f"back in {flow.until_back():.1f} s")
        flow.finish()


def test_workers_killed_in_handlers(place: Place, project: Project) -> None:
    """Workers killed with -9 in the middle of handlers: others do what they had in hand."""
    chance = random.Random(2027)
    deaths = 6
    with place.flow(project) as flow:
        for number in range(deaths):
            part(flow, 0.15 + 0.5 * number / deaths)
            flow.replace(chance.choice(flow.workers))
        print(f"back in {flow.until_back():.1f} s")
        flow.finish()
