"""The catalog in SQL. It joins the transaction of the session it is given and never commits: the worker does."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from examples.search import dialect, schema
from examples.search.clock import now
from examples.search.item import Item

_COLUMNS = "item.id, item.title, item.author, item.year, item.language, item.subjects"


class Catalog:
    """Indexes and their items, within one unit of work."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._dialect = dialect.of(session)

    @classmethod
    async def open(cls, session: AsyncSession) -> Self:
        """Give the catalog for writing: its tables are there afterwards."""
        await schema.prepare(session)
        return cls(session)

    async def create_index(self, index: str) -> bool:
        """Create an index; False when there is one of that name."""
        return await self._changes(
            "INSERT INTO search_index (name, created_at) VALUES (:index, :now) "
            "ON CONFLICT (name) DO NOTHING RETURNING name",
            index=index,
            now=now(),
        )

    async def delete_index(self, index: str) -> bool:
        """Delete an index and its items; False when there is none of that name."""
        await self._session.execute(
            text("DELETE FROM search_item WHERE index_name = :index"), {"index": index}
        )
        return await self._changes("DELETE FROM search_index WHERE name = :index RETURNING name", index=index)

    async def has_index(self, index: str) -> bool:
        """Tell whether there is an index of that name."""
        return await self.created_at(index) is not None

    async def created_at(self, index: str) -> str | None:
        """When the index was created, as RFC 3339; None when there is none, be it for want of any table."""
        if not await schema.is_ready(self._session):
            return None
        created_at: str | None = await self._one(
            "SELECT created_at FROM search_index WHERE name = :index", index=index
        )
        return created_at

    async def put(self, index: str, items: Sequence[Item]) -> None:
        """Store items; one whose id is known replaces it."""
        # in one order everywhere: transactions that store the same items would else wait for each other
        rows = [
            {**_row(index, item), **self._dialect.words(item)}
            for item in sorted(items, key=lambda item: item.id)
        ]
        await self._session.execute(text(self._dialect.put), rows)

    async def get(self, index: str, item: str) -> Item | None:
        """Give one item; None when there is none of that id."""
        statement = (
            f"SELECT {_COLUMNS} FROM search_item AS item WHERE item.index_name = :index AND item.id = :id"
        )
        row = (await self._session.execute(text(statement), {"index": index, "id": item})).mappings().first()
        return None if row is None else _item(row)

    async def delete(self, index: str, item: str) -> bool:
        """Delete one item; False when there is none of that id."""
        statement = "DELETE FROM search_item WHERE index_name = :index AND id = :id RETURNING number"
        return await self._changes(statement, index=index, id=item)

    async def count(self, index: str) -> int:
        """Count the items of an index."""
        return int(await self._one("SELECT count(*) FROM search_item WHERE index_name = :index", index=index))

    async def search(self, index: str, typed: str, limit: int) -> tuple[int, list[Item]]:
        """Give how many items match and the best of them; an empty text matches all, in order of title."""
        source, order = "search_item AS item WHERE item.index_name = :index", "item.title, item.id"
        values: dict[str, Any] = {"index": index}
        if typed.strip():
            expression = self._dialect.expression(typed)
            if expression is None:
                return 0, []
            source, values["expression"] = self._dialect.source, expression
            order = f"{self._dialect.order}, {order}"
        total = await self._one(f"SELECT count(*) FROM {source}", **values)
        page = f"SELECT {_COLUMNS} FROM {source} ORDER BY {order} LIMIT :limit"
        rows = (await self._session.execute(text(page), {**values, "limit": limit})).mappings().all()
        return int(total), [_item(row) for row in rows]

    async def _one(self, statement: str, **values: Any) -> Any:
        return await self._session.scalar(text(statement), values)

    async def _changes(self, statement: str, **values: Any) -> bool:
        """Run a statement that returns the rows it changed, and tell whether there was one."""
        return (await self._session.execute(text(statement), values)).first() is not None


def _row(index: str, item: Item) -> dict[str, Any]:
    """Give the columns of an item; its subjects become JSON, which the full-text index reads as words."""
    return {
        "index": index,
        **msgspec.structs.asdict(item),
        "subjects": msgspec.json.encode(item.subjects).decode(),
    }


def _item(row: Mapping[Any, Any]) -> Item:
    return Item(**{**row, "subjects": msgspec.json.decode(row["subjects"])})
