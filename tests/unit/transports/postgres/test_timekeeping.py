"""The time of a PostgreSQL server as workers keep it: over steps of the server's clock, and over sleep of their own."""

from __future__ import annotations

import asyncpg
import pytest

from tests.conformance.clock import Clock
from transports.postgres.timekeeping import Timekeeper


class Row:
    """The server's row, as the statements see it."""

    def __init__(self) -> None:
        self.skew, self.seen = 0.0, 0.0
        self.old = False

    async def fetchrow(self, statement: str) -> tuple[float, float, float]:
        if self.old:
            raise asyncpg.UndefinedTableError("transport_clock")
        return 0.0, self.skew, self.seen

    async def fetchval(self, statement: str) -> float:
        return 0.0

    async def execute(self, statement: str, *values: float) -> str:
        if "skew = $2" in statement:
            if values[0] != self.skew:
                return "UPDATE 0"
            _, self.skew, self.seen = values
        else:
            self.seen = values[0]
        return "UPDATE 1"


class Worker:
    """A worker on a machine of its own, which may sleep; the server's clock is one for all."""

    def __init__(self, row: Row, server: Clock) -> None:
        self.slept = 0.0
        self.row = row

        class Own:
            def __call__(self) -> float:
                return server()

            def monotonic(_) -> float:
                return server.monotonic() - self.slept

        self.time = Timekeeper(Own())

    async def compare(self) -> None:
        await self.time.compare(self.row)

    def sleeps(self, seconds: float) -> None:
        """Stand still while the world goes on."""
        self.slept += seconds


@pytest.fixture
def server() -> Clock:
    return Clock()


@pytest.fixture
def row() -> Row:
    return Row()


@pytest.mark.parametrize("step", [3600.0, -3600.0, 90 * 86_400.0])
async def test_a_step_of_the_server_moves_nobody(row: Row, server: Clock, step: float) -> None:
    """All go on, whichever worker sees it first, and a worker that starts later begins where they are."""
    workers = [Worker(row, server) for _ in range(3)]
    for one in workers:
        await one.compare()
    began = server.monotonic()
    server.step(step)
    server.advance(2)
    for one in [*workers, late := Worker(row, server)]:
        await one.compare()
        assert one.time() == pytest.approx(began + 2)
    server.step(-step)
    server.advance(2)
    for one in [late, *workers]:
        await one.compare()
        assert one.time() == pytest.approx(began + 4)


async def test_who_starts_between_a_step_and_its_correction_is_set_right_by_it(
    row: Row, server: Clock
) -> None:
    """Who could not know of a step follows those that saw it."""
    first = Worker(row, server)
    await first.compare()
    server.step(3600)
    early = Worker(row, server)
    await early.compare()
    row.seen = server() - 3600  # as it was found before the step: no other worker has looked since
    await first.compare()
    await early.compare()
    assert early.time() == pytest.approx(first.time()) == pytest.approx(server.monotonic())


async def test_a_worker_that_slept_follows_the_others(row: Row, server: Clock) -> None:
    """Its machine stood still, the server's clock did not: it does not set the other workers back."""
    awake, asleep = Worker(row, server), Worker(row, server)
    for one in (awake, asleep):
        await one.compare()
    for _ in range(300):
        server.advance(2)
        asleep.sleeps(2)
        await awake.compare()
    await asleep.compare()
    assert row.skew == 0
    assert asleep.time() == pytest.approx(awake.time()) == pytest.approx(server())


async def test_tables_of_an_earlier_release_are_enough(row: Row, server: Clock) -> None:
    """Until they are set up anew the server's clock is followed, steps and all."""
    row.old = True
    worker = Worker(row, server)
    await worker.compare()
    server.step(3600)
    await worker.compare()
    assert worker.time() == pytest.approx(server())
