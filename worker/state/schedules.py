"""Schedules in SQL: which are paused, how far each one is, and which ticks were fired.

A firing is a row under (schedule, tick), written in one transaction with what it sends. So neither a second leader, nor a
clock that steps back, nor a crash in between fires a tick twice. Rows are removed when there are many; none of the ticks
up to the last one removed is fired any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from worker.messaging.firing import Firing, Lead, Standing
from worker.messaging.parcel import Parcel
from worker.schedules.moments import Moment
from worker.state.database import Database
from worker.state.locks import Lock, held, holds
from worker.state.outbox import keep
from worker.state.pauses import note
from worker.state.statement import Statement
from worker.state.transaction import Row, Transaction

KEEP = 1_000
"""Firings of a schedule that are remembered."""

_LEASE = 30.0
"""Seconds after which another worker's relay may send what was fired."""

_REGISTER = Statement("""
    INSERT INTO worker_schedules (application, name, trigger_text, reached, resumed, forgotten)
    VALUES (:application, :name, :trigger, :now, :never, :never) ON CONFLICT DO NOTHING
""")
_CHANGED = Statement("""
    UPDATE worker_schedules SET trigger_text = :trigger, reached = :now
    WHERE application = :application AND name = :name AND trigger_text <> :trigger
""")
_STANDINGS = Statement("""
    SELECT name, trigger_text, reached, paused_at, paused_by, paused_reason,
        tick, message_id, error_type, error_message, actor
    FROM worker_schedules LEFT JOIN worker_firings ON worker_firings.application = :application
        AND worker_firings.schedule = worker_schedules.name AND worker_firings.tick = (
            SELECT max(latest.tick) FROM worker_firings AS latest
            WHERE latest.application = :application AND latest.schedule = worker_schedules.name
        )
    WHERE worker_schedules.application = :application
""")
_IS_OPEN = """
    SELECT 1 FROM worker_schedules WHERE application = :application AND name = :name
    AND paused_at IS NULL AND resumed < :tick AND forgotten < :tick
"""
_OPEN = Statement(_IS_OPEN)
_HOLD_OPEN = Statement(f"{_IS_OPEN} FOR UPDATE")
_FIRED = Statement(
    "SELECT 1 FROM worker_firings WHERE application = :application AND schedule = :name AND tick = :tick"
)
_FIRE = Statement("""
    INSERT INTO worker_firings (application, schedule, tick, at, message_id, messages, error_type, error_message, actor)
    VALUES (:application, :schedule, :tick, :at, :message_id, :messages, :error_type, :error_message, :actor)
    ON CONFLICT DO NOTHING
""")
_REACH = Statement(
    "UPDATE worker_schedules SET reached = :tick WHERE application = :application AND name = :name"
)
_PAUSE = Statement("""
    UPDATE worker_schedules SET paused_at = :at, paused_by = :actor, paused_reason = :reason
    WHERE application = :application AND name = :name AND paused_at IS NULL
""")
_RESUME = Statement("""
    UPDATE worker_schedules
    SET paused_at = NULL, paused_by = NULL, paused_reason = NULL, resumed = :now, reached = :now
    WHERE application = :application AND name = :name AND paused_at IS NOT NULL
""")
_NAMES = Statement("SELECT name FROM worker_schedules WHERE application = :application ORDER BY name")
_OLDEST_KEPT = Statement("""
    SELECT tick FROM worker_firings WHERE application = :application AND schedule = :name
    ORDER BY tick DESC LIMIT 1 OFFSET :keep
""")
_FORGET = Statement("""
    UPDATE worker_schedules SET forgotten = :tick
    WHERE application = :application AND name = :name AND forgotten < :tick
""")
_REMOVE = Statement(
    "DELETE FROM worker_firings WHERE application = :application AND schedule = :name AND tick <= :tick"
)

_NEVER: Moment = -(2**62)


class SqlSchedules:
    """The schedules of an application. Every method raises DatabaseUnavailable when the database does not answer.

    Args:
        database: connected.
        worker: whose relay sends what is fired here.
        committed: told after each firing that left rows in the outbox.
    """

    def __init__(self, database: Database, worker: str, committed: Callable[[], None]) -> None:
        self._database = database
        self._worker = worker
        self._committed = committed

    async def begin(self, triggers: Mapping[str, str], now: Moment) -> Mapping[str, Standing]:
        """Make what is missing, and tell how schedules stand; see the port."""
        async with self._database.begin_write() as transaction:
            for name, trigger in triggers.items():
                await _register(transaction, name, trigger, now)
            found = await transaction.rows(_STANDINGS)
        return {row["name"]: _standing(row) for row in found if row["name"] in triggers}

    async def standings(self) -> Mapping[str, Standing]:
        """Tell how schedules stand, by name; of those that were never begun nothing is known."""
        async with self._database.begin_read() as transaction:
            found = await transaction.rows(_STANDINGS)
        return {row["name"]: _standing(row) for row in found}

    async def leader(self, lock: str) -> Lock | None:
        """Tell which process has the lead; None where none does."""
        now = await self._database.now(writes=False)
        async with self._database.begin_read() as transaction:
            found = await held(transaction, lock)
        return None if found is None or found.until <= now else found

    async def due(self, schedule: str, tick: Moment) -> bool:
        """Whether a tick is still to be fired."""
        async with self._database.begin_read() as transaction:
            return await _due(transaction, schedule, tick)

    async def fire(self, firing: Firing, parcels: Sequence[Parcel], lead: Lead | None) -> bool:
        """Write a firing down, and what it sends into the outbox, all or nothing; see the port."""
        now = await self._database.now()
        async with self._database.begin_write() as transaction:
            if lead is not None:
                if not await holds(transaction, lead.lock, lead.worker, now):
                    return False
                if await transaction.first(_HOLD_OPEN, name=firing.schedule, tick=firing.tick) is None:
                    return False
                await transaction.run(_REACH, name=firing.schedule, tick=firing.tick)
            if not await transaction.run(_FIRE, at=self._database.clock(), **_columns(firing)):
                return False
            if parcels:
                await keep(transaction, firing.ids[0], parcels, now, self._worker, _LEASE)
            if firing.actor is not None:
                at, named = self._database.clock(), [firing.schedule]
                await note(transaction, at, 0, "schedule.run", firing.actor, named, None, None)
        if parcels:
            self._committed()
        return True

    async def fire_all(self, fired: Sequence[tuple[Firing, Sequence[Parcel]]]) -> None:
        """Write firings down in one transaction, with what they send, for a process that alone fires: none was fired before."""
        now, at = await self._database.now(), self._database.clock()
        async with self._database.begin_write() as transaction:
            await transaction.run_each(_FIRE, [{"at": at, **_columns(firing)} for firing, _ in fired])
            for firing, parcels in fired:
                if parcels:
                    await keep(transaction, firing.ids[0], parcels, now, self._worker, _LEASE)
        self._committed()

    async def reach(self, schedule: str, tick: Moment) -> None:
        """Note that all was decided up to a tick."""
        async with self._database.begin_write() as transaction:
            await transaction.run(_REACH, name=schedule, tick=tick)

    async def pause(
        self, triggers: Mapping[str, str], now: Moment, actor: str, reason: str | None
    ) -> list[str]:
        """Let the ticks of schedules pass by, until they are resumed; name those that were not paused before."""
        return await self._change("pause", triggers, now, actor, reason)

    async def resume(self, triggers: Mapping[str, str], now: Moment, actor: str) -> list[str]:
        """Fire again; ticks until now have not been missed. Name those that were paused."""
        return await self._change("resume", triggers, now, actor, None)

    async def _change(
        self, action: str, triggers: Mapping[str, str], now: Moment, actor: str, reason: str | None
    ) -> list[str]:
        at = self._database.clock()
        changed = []
        async with self._database.begin_write() as transaction:
            for name in sorted(triggers):  # in one order, so that no two wait for one another
                await _register(transaction, name, triggers[name], now)
                done = (
                    await transaction.run(_PAUSE, name=name, at=at, actor=actor, reason=reason)
                    if action == "pause"
                    else await transaction.run(_RESUME, name=name, now=now)
                )
                if done:
                    changed.append(name)
            if changed:
                await note(transaction, at, 0, f"schedule.{action}", actor, changed, reason, None)
        return changed

    async def prune(self) -> None:
        """Forget all but the latest firings of each schedule."""
        async with self._database.begin_read() as transaction:
            names = [row["name"] for row in await transaction.rows(_NAMES)]
        for name in names:
            async with self._database.begin_write() as transaction:
                row = await transaction.first(_OLDEST_KEPT, name=name, keep=KEEP)
                if row is not None:
                    await transaction.run(_FORGET, name=name, tick=row["tick"])
                    await transaction.run(_REMOVE, name=name, tick=row["tick"])


async def _register(transaction: Transaction, name: str, trigger: str, now: Moment) -> None:
    await transaction.run(_REGISTER, name=name, trigger=trigger, now=now, never=_NEVER)
    await transaction.run(_CHANGED, name=name, trigger=trigger, now=now)


async def _due(transaction: Transaction, name: str, tick: Moment) -> bool:
    if await transaction.first(_OPEN, name=name, tick=tick) is None:
        return False
    return await transaction.first(_FIRED, name=name, tick=tick) is None


def _columns(firing: Firing) -> dict[str, object]:
    return {
        "schedule": firing.schedule,
        "tick": firing.tick,
        "message_id": firing.ids[0] if firing.ids else None,
        "messages": len(firing.ids),
        "error_type": firing.error_type,
        "error_message": firing.error_message,
        "actor": firing.actor,
    }


def _standing(row: Row) -> Standing:
    last = None
    if row["tick"] is not None:
        last = Firing(
            schedule=row["name"],
            tick=row["tick"],
            ids=() if row["message_id"] is None else (row["message_id"],),
            error_type=row["error_type"],
            error_message=row["error_message"],
            actor=row["actor"],
        )
    return Standing(
        reached=row["reached"],
        paused_at=row["paused_at"],
        paused_by=row["paused_by"],
        paused_reason=row["paused_reason"],
        last=last,
    )
