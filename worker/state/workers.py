"""Worker processes as they last reported themselves."""

from __future__ import annotations

import msgspec

from worker.state.database import Database
from worker.state.statement import Statement

_BEAT = Statement("""
    INSERT INTO worker_workers
        (id, application, host, pid, started_at, seen_at, applied_version, types, quiet_version, troubles)
    VALUES (:id, :application, :host, :pid, :started_at, :seen_at, :applied_version, :types, :quiet_version, :troubles)
    ON CONFLICT (id) DO UPDATE SET application = excluded.application, host = excluded.host, pid = excluded.pid,
        started_at = excluded.started_at, seen_at = excluded.seen_at, applied_version = excluded.applied_version,
        types = excluded.types, quiet_version = excluded.quiet_version, troubles = excluded.troubles
""")
_LIVE = Statement("""
    SELECT id, host, pid, started_at, seen_at, applied_version, types, quiet_version, troubles
    FROM worker_workers WHERE application = :application AND seen_at >= :since ORDER BY started_at, id
""")
_REMOVE = Statement("DELETE FROM worker_workers WHERE id = :worker_id")
_PRUNE = Statement("DELETE FROM worker_workers WHERE application = :application AND seen_at < :before")


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker process says of itself.

    Attributes:
        id: its name, one a process and life.
        host: machine.
        pid: process id there.
        started_at: seconds since the epoch.
        seen_at: when it said so; set by ``beat``.
        applied_version: of the stored pauses.
        quiet_version: of the control state, as of which no command has been running; 0 for never.
        types: message types that it takes.
        troubles: what keeps it from taking some of them now, a sentence each.
    """

    id: str
    host: str
    pid: int
    started_at: float
    seen_at: float = 0.0
    applied_version: int = 0
    quiet_version: int = 0
    types: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()


class Workers:
    """The worker processes that share this database.

    Every method raises DatabaseUnavailable when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Report a process as alive now."""
        row = msgspec.structs.asdict(heartbeat) | {
            "seen_at": await self._database.now(),
            "types": msgspec.json.encode(heartbeat.types).decode(),
            "troubles": msgspec.json.encode(heartbeat.troubles).decode(),
        }
        async with self._database.begin_write() as transaction:
            await transaction.run(_BEAT, **row)

    async def live(self, within: float) -> list[Heartbeat]:
        """List those that were seen in the last ``within`` seconds, oldest first."""
        since = await self._database.now(writes=False) - within
        async with self._database.begin_read() as transaction:
            rows = await transaction.rows(_LIVE, since=since)
        decode, shown = msgspec.json.Decoder(tuple[str, ...]).decode, self._database.time.shown
        return [
            Heartbeat(
                **(
                    dict(row)
                    | {name: decode(row[name]) for name in ("types", "troubles")}
                    | {"seen_at": shown(row["seen_at"])}
                )
            )
            for row in rows
        ]

    async def remove(self, worker_id: str) -> None:
        """Forget a process: it stopped."""
        async with self._database.begin_write() as transaction:
            await transaction.run(_REMOVE, worker_id=worker_id)

    async def prune(self, older_than: float) -> int:
        """Forget processes that were not seen for ``older_than`` seconds, and say how many."""
        before = await self._database.now() - older_than
        async with self._database.begin_write() as transaction:
            return await transaction.run(_PRUNE, before=before)
