"""The pool: connections are lent in the order of asking, and none is lost to a caller that gave up."""

from __future__ import annotations

import asyncio

import pytest

from worker.errors import DatabaseUnavailable
from worker.state.pool import Pool


class Line:
    """A connection, and what has become of it."""

    def __init__(self, *, alive: bool = True) -> None:
        self.alive = alive
        self.hung_up = False


class Lines:
    """Opens them."""

    def __init__(self) -> None:
        self.opened: list[Line] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.refuses = False

    async def open(self) -> Line:
        if self.refuses:
            raise OSError("nobody there")
        self.opened.append(Line())
        return self.opened[-1]

    async def check(self, line: Line) -> bool:
        await self.answers.wait()
        return line.alive

    def pool(self, size: int = 1, patience: float = 5.0) -> Pool[Line]:
        return Pool(self.open, self.check, lambda line: setattr(line, "hung_up", True), size, patience)


async def test_users_take_turns_in_the_order_of_asking():
    """A connection that comes back goes to the caller that has waited longest."""
    pool = Lines().pool()
    first = await pool.take()
    order: list[int] = []

    async def use(number: int) -> None:
        line = await pool.take()
        order.append(number)
        await asyncio.sleep(0)
        pool.give(line)

    users = [asyncio.create_task(use(number)) for number in range(5)]
    await asyncio.sleep(0)
    pool.give(first)
    users.append(asyncio.create_task(use(5)))
    await asyncio.gather(*users)
    assert order == [0, 1, 2, 3, 4, 5]


async def test_waiting_is_bounded():
    """A caller that waits too long is told which code has the connections, and takes no turn away."""
    pool = Lines().pool(patience=0.01)
    line = await pool.take()
    with pytest.raises(DatabaseUnavailable, match="no connection"):
        await pool.take()
    pool.give(line)
    assert await pool.take() is line


async def test_a_dead_connection_is_replaced():
    """One that died while it was not in use costs no error."""
    lines = Lines()
    pool = lines.pool()
    line = await pool.take()
    line.alive = False
    pool.give(line)
    assert await pool.take() is lines.opened[1]


async def test_nothing_is_lost_when_opening_fails():
    """The next user may try."""
    lines = Lines()
    pool = lines.pool(patience=0.01)
    lines.refuses = True
    for _ in range(3):
        with pytest.raises(OSError, match="nobody"):
            await pool.take()
    lines.refuses = False
    assert await pool.take() is lines.opened[0]


async def test_whoever_gives_up_leaves_the_connection_to_nobody():
    """Cancelled while a connection is asked whether it lives: it is hung up, and its place is free."""
    lines = Lines()
    pool = lines.pool(patience=0.01)
    pool.give(await pool.take())
    lines.answers.clear()
    taking = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    assert lines.opened[0].hung_up
    assert await pool.take() is lines.opened[1]


async def test_what_is_lent_while_it_closes_is_closed_when_it_comes_back():
    """Those that are not in use are left to the caller."""
    lines = Lines()
    pool = lines.pool(size=2)
    idle, used = await pool.take(), await pool.take()
    pool.give(idle)
    assert pool.close() == [idle]
    pool.give(used)
    assert used.hung_up
    assert not idle.hung_up
