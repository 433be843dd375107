"""What the state asks of a database's driver."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from worker.state.transaction import Transaction


class Driver(Protocol):
    """Transactions of the stores, on connections of this process. What goes wrong is raised as the driver says it."""

    @property
    def there(self) -> bool:
        """Whether there is anything to open: False for a file that was not made yet."""
        ...

    async def open(self, *, create: bool = True) -> None:
        """Make what can be made by opening it; nothing of that without ``create``."""
        ...

    def begin(self, *, write: bool) -> AbstractAsyncContextManager[Transaction]:
        """Give a transaction: committed at the end, rolled back on an error."""
        ...

    async def close(self) -> None:
        """Close every connection that is not in use, within some seconds. Idempotent."""
        ...
