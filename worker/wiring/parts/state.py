"""The state part: the database, and what it keeps of messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from worker.errors import ConfigurationError
from worker.state.copies import SqlCopies
from worker.state.database import Database
from worker.state.failures import SqlFailures
from worker.state.idempotency import SqlIdempotency
from worker.state.inbox import Inbox
from worker.state.suspects import SqlSuspects
from worker.state.waits import Waits
from worker.wiring.parts.needs import Needs, Tables
from worker.wiring.parts.process import Process

_KEEP = 7 * 86_400.0
"""Seconds for which messages are remembered at least, so that a late repeat is found out."""
_LONGEST = 31 * 86_400.0
"""Seconds for which a broker keeps a message at most."""
_REPLAY_PATIENCE = 86_400.0
"""Seconds after which a replayed message that was not handled is shown as failed again."""


class State(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The database and what it keeps of messages.

    Attributes:
        database: connected.
        failures: messages that failed.
        inbox: which handlers are done with which message.
        idempotency: answers that were given for idempotency keys.
        suspects: messages that were in hand when a worker died.
        copies: of what is published to brokers that keep it in memory only.
    """

    database: Database
    failures: SqlFailures
    inbox: Inbox
    idempotency: SqlIdempotency
    suspects: SqlSuspects
    copies: SqlCopies

    async def prune(self, keep: float) -> None:
        """Forget what is not needed any more; see ``Prunes``."""
        longer = max(keep, _KEEP)
        await self.inbox.prune(longer)
        await self.failures.prune(longer)
        await self.failures.resurface(_REPLAY_PATIENCE)
        await self.idempotency.prune()
        await self.suspects.prune(_KEEP)
        await self.copies.prune(_LONGEST)


@asynccontextmanager
async def opened_state(process: Process, needs: Needs) -> AsyncIterator[State]:
    """Connect to the database, and see to its tables.

    Raises:
        ConfigurationError: tables are missing and not created.
        DatabaseUnavailable: it did not answer within the connect timeout, or is read-only.
    """
    settings, machine = process.settings, process.machine
    database = Database(
        settings.database.url,
        base=settings.base,
        clock=process.clock,
        waits=Waits(statement=settings.database.statement_timeout),
        application=process.registry.application,
    )
    try:
        await database.connect(settings.worker.connect_timeout, create=needs.creates)
        if needs.writes and database.there:
            await database.prove_writable()
        await _prepare(database, needs.tables)
        if needs.tables != "ignore":  # the time is kept in a table
            await database.now(writes=False)
        yield State(
            database=database,
            failures=SqlFailures(database),
            inbox=Inbox(database),
            idempotency=SqlIdempotency(database),
            copies=SqlCopies(database),
            suspects=SqlSuspects(
                database, msgspec.structs.replace(machine.me, name=process.name), machine.lives
            ),
        )
    finally:
        await database.close()


async def _prepare(database: Database, tables: Tables) -> None:
    if tables == "create":
        await database.setup()
    if tables != "require":
        return
    missing = await database.missing()
    if missing:
        raise ConfigurationError(
            f"missing in database {database.shown}: {', '.join(missing)}; run: worker setup"
        )
