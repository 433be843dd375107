"""Open breakers in SQL: which types they hold, and which worker tries the next message."""

from __future__ import annotations

from collections.abc import Sequence

from worker.messaging.breaker import Breaker
from worker.messaging.pausing import RECENT, Rule, Scope
from worker.state.control import bump, unbump
from worker.state.database import Database
from worker.state.pauses import hold, note
from worker.state.statement import Statement
from worker.state.transaction import Row, Transaction

ACTOR = "breaker"
"""Who pauses and resumes, as shown."""

_GET = Statement(
    "SELECT trips, due, prober FROM worker_breakers WHERE application = :application AND name = :breaker"
)
_ADD = Statement("""
    INSERT INTO worker_breakers (application, name, trips, due, prober)
    VALUES (:application, :breaker, :trips, :due, :prober)
""")
_SET = Statement("""
    UPDATE worker_breakers SET trips = :trips, due = :due, prober = :prober
    WHERE application = :application AND name = :breaker
""")
_REMOVE = Statement("DELETE FROM worker_breakers WHERE application = :application AND name = :breaker")
_HELD = Statement("""
    SELECT value, since FROM worker_pauses
    WHERE application = :application AND owner = :breaker ORDER BY number
""")
_HOLD_UNTIL = Statement(
    "UPDATE worker_pauses SET until = :until WHERE application = :application AND owner = :breaker"
)
_LET_GO = Statement("DELETE FROM worker_pauses WHERE application = :application AND owner = :breaker")


class SqlBreakers:
    """The fleet's open breakers. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, name: str, breaker: Breaker, types: Sequence[str], reason: str) -> bool:
        """Hold the types, and have a message tried after a while; False when it is open already."""
        now = await self._database.now()
        due = now + breaker.pause_after(0)
        async with self._database.begin_write() as transaction:
            version = await bump(transaction)
            if await _held(transaction, name):
                await unbump(transaction)
                return False
            await transaction.run(_REMOVE, breaker=name)
            await transaction.run(_ADD, breaker=name, trips=0, due=due, prober="")
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
                await hold(transaction, rule)
            await note(
                transaction,
                self._database.clock(),
                version,
                "pause",
                ACTOR,
                types,
                reason,
                self._database.time.shown(due),
            )
            return True

    async def claim(self, name: str, worker: str, lease: float) -> bool:
        """Take it upon ``worker`` to try a message within ``lease`` seconds; False when another does."""
        now = await self._database.now()
        async with self._database.begin_write() as transaction:
            await bump(transaction)
            row = await _row(transaction, name)
            if row is None or (row["due"] > now and row["prober"] != worker):
                await unbump(transaction)
                return False
            await _set(transaction, name, due=now + lease, prober=worker, trips=row["trips"])
            return True

    async def postpone(self, name: str, worker: str, breaker: Breaker) -> None:
        """The message that ``worker`` tried failed: the next is tried later."""
        now = await self._database.now()
        async with self._database.begin_write() as transaction:
            await bump(transaction)
            row = await _row(transaction, name)
            if row is None or row["prober"] != worker:
                await unbump(transaction)
                return
            trips = row["trips"] + 1
            await _set(transaction, name, due=now + breaker.pause_after(trips), prober="", trips=trips)

    async def close(self, name: str) -> None:
        """It works again: hold nothing. Idempotent."""
        now = await self._database.now()
        async with self._database.begin_write() as transaction:
            version = await bump(transaction)
            held = await _held(transaction, name)
            await transaction.run(_REMOVE, breaker=name)
            if not held:
                await unbump(transaction)
                return
            begun = min(row["since"] for row in held)
            types = [row["value"] for row in held]
            await transaction.run(_LET_GO, breaker=name)
            for type_name in types:
                rule = Rule(
                    number=0,
                    action="resume",
                    scope=Scope("type", type_name),
                    actor=ACTOR,
                    origin="ramp",
                    since=begun,
                    until=now + RECENT,
                )
                await hold(transaction, rule)
            await note(transaction, self._database.clock(), version, "resume", ACTOR, types, None, None)


async def _held(transaction: Transaction, name: str) -> Sequence[Row]:
    return await transaction.rows(_HELD, breaker=name)


async def _row(transaction: Transaction, name: str) -> Row | None:
    return await transaction.first(_GET, breaker=name)


async def _set(transaction: Transaction, name: str, *, due: float, prober: str, trips: int) -> None:
    await transaction.run(_SET, breaker=name, due=due, prober=prober, trips=trips)
    await transaction.run(_HOLD_UNTIL, breaker=name, until=due)
