"""The embedded, durable transport: one SQLite file, any number of processes on one machine.

SQLite allows one writer at a time, and each commit waits for the disk. So in each process one thread owns the connection
that writes (``writer``), and all jobs of one turn of the loop (``job``) share one transaction
(``transactions``): a thousand publishes cost one ``fsync``. A claim is an UPDATE of ``visible_at``, which serves delay,
lease and retry. What only looks at queues has a connection of its own, as WAL lets readers go on beside a writer. What
other processes write is noticed by the file's change counter. It uses the standard library's sqlite3: no driver, no server.
"""

from transports.sqlite.transport import SqliteTransport, create

__all__ = ["SqliteTransport", "create"]
