"""Waits: the upper bounds on everything that is awaited of the database."""

from __future__ import annotations

import msgspec


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for what, in seconds.

    Attributes:
        pool: for a connection while others of this process use them all.
        lock: for a lock that another process holds.
        statement: for one statement of a handler, where the database can end it (PostgreSQL).
        idle: for the next statement of a handler's transaction on SQLite, where it holds what all others wait for: there is
            one writer, and some readers. It ends with what is asked later than that.
        transaction: for a store's whole transaction, and for a commit.
        answer: the same on PostgreSQL, where no writers queue for one file: what takes longer has lost its server.
        migration: for all changes of the tables, of which there may be millions of rows.
        readers: connections for reading; on PostgreSQL for all that the stores do (a count).
        sessions: connections for the sessions of handlers on PostgreSQL (a count).
    """

    pool: float = 30.0
    lock: float = 10.0
    statement: float = 20.0
    idle: float = 60.0
    transaction: float = 60.0
    answer: float = 15.0
    migration: float = 600.0
    readers: int = 5
    sessions: int = 10
