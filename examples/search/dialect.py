"""What differs between the databases that the catalog can be stored in: tables, and how words are found."""

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from examples.search.item import Item
from examples.search.postgresql import Postgresql
from examples.search.sqlite import Sqlite


class Dialect(Protocol):
    """What one database does in its own way.

    Attributes:
        statements: create the tables where they are missing; several workers may do that at once.
        ready: a query that gives a row when they are there.
        put: stores an item; one that is known is replaced.
        source: ``FROM`` and ``WHERE`` for the items that match ``:expression``.
        order: the best first.
    """

    statements: tuple[str, ...]
    ready: str
    put: str
    source: str
    order: str

    def expression(self, typed: str) -> str | None:
        """Give the expression that finds items with all the words, the last one as a prefix; None without any word."""
        ...

    def words(self, item: Item) -> dict[str, str]:
        """Give further columns that ``put`` needs for the item to be found."""
        ...


_DIALECTS: dict[str, Dialect] = {"sqlite": Sqlite(), "postgresql": Postgresql()}


def of(session: AsyncSession) -> Dialect:
    """Give the dialect of a session's database."""
    return _DIALECTS[session.get_bind().dialect.name]
