"""The embedded, durable transport: one SQLite file, any number of processes on one machine.

SQLite has one writer at a time and pays for each commit with the disk. So one thread a process owns the connection that
writes (``writer``), and all that was asked in a turn of the loop (``operation``) is one transaction (``transactions``): a
thousand publishes cost one ``fsync``. A claim is an UPDATE of ``visible_at``, which serves delay, lease and retry. Looks at
queues have a connection of their own, as WAL lets readers go on. Other processes are noticed by a look at the file's
change counter. It is the standard library's sqlite3: no driver, no server.
"""

from transports.sqlite.transport import SqliteTransport, create

__all__ = ["SqliteTransport", "create"]
