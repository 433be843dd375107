"""The transport on PostgreSQL: rows of one table, any number of processes on any number of machines.

One column, ``visible_at``, serves delay, lease and retry: a claim moves it (``claiming``, FOR UPDATE SKIP LOCKED), so that
claimed rows leave the front of the index. What is published and settled in one turn of the loop shares a statement
(``batches``), as a round trip costs more than a hundred rows. There is a connection for each kind of work (``link``): a
commit that waits for the disk holds up no claim. NOTIFY wakes consumers that wait (``notifications``); where it fails, they
find messages by polling. The driver is asyncpg, and SQL is text: nothing here needs an object for each row.
"""

from transports.postgres.transport import PostgresTransport, create

__all__ = ["PostgresTransport", "create"]
