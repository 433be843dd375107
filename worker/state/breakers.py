"""Open breakers in SQL: which types they hold, and which worker tries the next message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.messaging.breaker import Breaker
from worker.messaging.pausing import RECENT, Rule, Scope
from worker.state.database import Database
from worker.state.pauses import bump, note, row_of, unbump
from worker.state.tables import breakers, pauses

ACTOR = "breaker"
"""Who pauses and resumes, as shown."""


class SqlBreakers:
    """The fleet's open breakers. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, name: str, breaker: Breaker, types: Sequence[str], reason: str) -> bool:
        """Hold the types, and have a message tried after a while; False when it is open already."""
        now = self._database.clock()
        due = now + breaker.pause_after(0)
        async with self._database.begin_write() as connection:
            version = await bump(connection)
            if await _held(connection, name):
                await unbump(connection)
                return False
            await connection.execute(delete(breakers).where(breakers.c.name == name))
            row = {"name": name, "trips": 0, "due": due, "prober": ""}
            await connection.execute(insert(breakers).values(row))
            for type_name in types:
                rule = Rule(
                    number=0,
                    action="pause",
                    scope=Scope("type", type_name),
                    actor=ACTOR,
                    origin="breaker",
                    reason=reason,
                    since=now,
                    until=due,
                    owner=name,
                )
                await connection.execute(insert(pauses).values(row_of(rule)))
            await note(connection, now, version, "pause", ACTOR, types, reason, due)
            return True

    async def claim(self, name: str, worker: str, lease: float) -> bool:
        """Take it upon ``worker`` to try a message within ``lease`` seconds; False when another does."""
        now = self._database.clock()
        async with self._database.begin_write() as connection:
            await bump(connection)
            row = await _row(connection, name)
            if row is None or (row["due"] > now and row["prober"] != worker):
                await unbump(connection)
                return False
            await _set(connection, name, due=now + lease, prober=worker)
            return True

    async def postpone(self, name: str, worker: str, breaker: Breaker) -> None:
        """The message that ``worker`` tried failed: the next is tried later."""
        now = self._database.clock()
        async with self._database.begin_write() as connection:
            await bump(connection)
            row = await _row(connection, name)
            if row is None or row["prober"] != worker:
                await unbump(connection)
                return
            trips = row["trips"] + 1
            await _set(connection, name, due=now + breaker.pause_after(trips), prober="", trips=trips)

    async def close(self, name: str) -> None:
        """It works again: hold nothing. Idempotent."""
        now = self._database.clock()
        async with self._database.begin_write() as connection:
            version = await bump(connection)
            held = await _held(connection, name)
            await connection.execute(delete(breakers).where(breakers.c.name == name))
            if not held:
                await unbump(connection)
                return
            since = await connection.execute(select(pauses.c.since).where(pauses.c.owner == name))
            begun = min(since.scalars())
            await connection.execute(delete(pauses).where(pauses.c.owner == name))
            for type_name in held:
                rule = Rule(
                    number=0,
                    action="resume",
                    scope=Scope("type", type_name),
                    actor=ACTOR,
                    origin="ramp",
                    since=begun,
                    until=now + RECENT,
                )
                await connection.execute(insert(pauses).values(row_of(rule)))
            await note(connection, now, version, "resume", ACTOR, held, None, None)


async def _held(connection: AsyncConnection, name: str) -> list[str]:
    found = await connection.execute(select(pauses.c.value).where(pauses.c.owner == name))
    return list(found.scalars())


async def _row(connection: AsyncConnection, name: str) -> Any:
    return (await connection.execute(select(breakers).where(breakers.c.name == name))).mappings().first()


async def _set(connection: AsyncConnection, name: str, **values: Any) -> None:
    await connection.execute(update(breakers).where(breakers.c.name == name).values(**values))
    await connection.execute(update(pauses).where(pauses.c.owner == name).values(until=values["due"]))
