"""The transport on PostgreSQL: rows of one table, any number of processes on any number of machines."""

from transports.postgres.transport import PostgresTransport, create

__all__ = ["PostgresTransport", "create"]
