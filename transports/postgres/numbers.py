"""Numbers of queues: the rows refer to them instead of repeating the name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import asyncpg

from transports.postgres.connection import Connection

_FIND = "SELECT name, id FROM transport_queues WHERE name = ANY($1::text[])"


class Numbers:
    """Known queues. A queue is never removed, so what is known stays right while the database stays the same."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    async def of(self, connection: Connection, names: Collection[str]) -> Mapping[str, int]:
        """Return the numbers of those that are set up; notices what other processes set up."""
        unknown = [name for name in names if name not in self._known]
        if unknown:
            try:
                found = await connection.fetch(_FIND, unknown)
            except asyncpg.UndefinedTableError:
                return {}  # nothing is set up yet
            self._known.update((name, number) for name, number in found)
        return {name: self._known[name] for name in names if name in self._known}

    async def number(self, connection: Connection, name: str) -> int | None:
        """Return a queue's number, None where it is not set up."""
        return (await self.of(connection, [name])).get(name)

    def forget(self) -> None:
        """Ask again from now on: a new connection may lead to a database that was made anew."""
        self._known.clear()
