"""The inbox: what is committed, for as long as it is kept."""

from __future__ import annotations

import asyncio

from worker.state.inbox import Inbox


async def add(database, inbox, message_id):
    async with database.begin_write() as connection:
        return await inbox.add(connection, message_id, "h")


async def test_work_is_noted_once(database):
    """The second note of the same work says that it is there already."""
    inbox = Inbox(database)
    assert await add(database, inbox, "m1")
    assert not await add(database, inbox, "m1")


async def test_questions_asked_at_once_are_answered_each(database):
    """Concurrent questions share a statement, and each gets its own answer."""
    inbox = Inbox(database)
    await add(database, inbox, "m1")
    answers = await asyncio.gather(*(inbox.knows(f"m{number}", "h") for number in range(3)))
    assert answers == [False, True, False]


async def test_old_work_is_forgotten(database, clock):
    """Pruning removes what is older than asked, however much it is, and nothing else."""
    inbox = Inbox(database)
    async with database.begin_write() as connection:
        for number in range(1100):
            await inbox.add(connection, f"old{number}", "h")
    clock.advance(100.0)
    await add(database, inbox, "new")
    assert await inbox.prune(50.0) == 1100
    assert await inbox.knows("new", "h")
    assert not await inbox.knows("old1", "h")


async def test_a_message_can_be_forgotten(database):
    """A message that is forgotten is handled again."""
    inbox = Inbox(database)
    await add(database, inbox, "m1")
    await inbox.forget("m1")
    assert not await inbox.knows("m1", "h")
