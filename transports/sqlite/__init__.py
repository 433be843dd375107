"""The embedded, durable transport: one SQLite file, any number of processes on one machine."""

from transports.sqlite.transport import SqliteTransport, create

__all__ = ["SqliteTransport", "create"]
