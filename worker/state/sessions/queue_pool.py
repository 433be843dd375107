"""SQLAlchemy's connection pool, whose waiting ends in ``DatabaseUnavailable``."""

from __future__ import annotations

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection

from worker.errors import DatabaseUnavailable


class QueuePool(AsyncAdaptedQueuePool):
    """A pool that says what was waited for when it has no connection to give in time."""

    def connect(self) -> PoolProxiedConnection:
        """Give a connection.

        Raises:
            DatabaseUnavailable: others of this process used them all for too long.
        """
        try:
            return super().connect()
        except PoolTimeoutError as error:
            raise DatabaseUnavailable(
                f"database: no connection was free within {self.timeout():g} s; "
                "handlers of this process hold them in open transactions"
            ) from error
