"""The catalog in SQL. It joins the transaction of the session it is given and never commits: the worker does."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from examples.search import dialect, schema
from examples.search.clock import now
from examples.search.configuration import Configuration
from examples.search.errors import IndexNotFound, SeveralApps
from examples.search.item import Item

_COLUMNS = (
    "item.id, item.title, item.author, item.year, item.language, item.subjects, item.type, item.published"
)
_OF_INDEXES = "item.app = :app AND item.index_name IN :indexes"


class Stored(NamedTuple):
    """An index as it is stored; its time is RFC 3339."""

    name: str
    created_at: str
    configuration: Configuration


class Catalog:
    """An app's indexes and their items, within one unit of work.

    Args:
        session: whose transaction it joins.
        app: whose indexes are meant.

    Raises:
        SeveralApps: ``app`` names several.
    """

    def __init__(self, session: AsyncSession, app: str) -> None:
        if "," in app:
            raise SeveralApps(app)
        self._session = session
        self._app = app
        self._dialect = dialect.of(session)

    @classmethod
    async def open(cls, session: AsyncSession, app: str) -> Self:
        """Give the catalog for writing: its tables are there afterwards."""
        await schema.prepare(session)
        return cls(session, app)

    async def create_index(self, index: str, configuration: Configuration) -> bool:
        """Create an index; False when there is one of that name."""
        return await self._changes(
            "INSERT INTO catalog_index (app, name, created_at, configuration) "
            "VALUES (:app, :index, :now, :configuration) ON CONFLICT (app, name) DO NOTHING RETURNING name",
            index=index,
            now=now(),
            configuration=msgspec.json.encode(configuration).decode(),
        )

    async def configure_index(self, index: str, configuration: Configuration) -> None:
        """Configure an index anew: what its items are found by is written anew, all in one transaction."""
        await self._changes(
            "UPDATE catalog_index SET configuration = :configuration WHERE app = :app AND name = :index RETURNING name",
            index=index,
            configuration=msgspec.json.encode(configuration).decode(),
        )
        await self._write(index, await self._items(_OF_INDEXES, indexes=[index]), configuration)

    async def delete_index(self, index: str) -> None:
        """Delete an index and its items."""
        await self.reset_index(index)
        await self._changes(
            "DELETE FROM catalog_index WHERE app = :app AND name = :index RETURNING name", index=index
        )

    async def reset_index(self, index: str) -> None:
        """Delete all items of an index."""
        await self._changes(
            "DELETE FROM catalog_item WHERE app = :app AND index_name = :index RETURNING number", index=index
        )

    async def indexes(self) -> list[Stored]:
        """Give the indexes by name; none for want of any table."""
        if not await schema.is_ready(self._session):
            return []
        statement = "SELECT name, created_at, configuration FROM catalog_index WHERE app = :app ORDER BY name"
        rows = await self._session.execute(text(statement), {"app": self._app})
        return [
            Stored(name, created_at, msgspec.json.decode(configuration, type=Configuration))
            for name, created_at, configuration in rows.all()
        ]

    async def has_index(self, index: str) -> bool:
        """Tell whether there is an index of that name."""
        return any(stored.name == index for stored in await self.indexes())

    async def index(self, index: str) -> Stored:
        """Give one index.

        Raises:
            IndexNotFound: there is none of that name.
        """
        for stored in await self.indexes():
            if stored.name == index:
                return stored
        raise IndexNotFound(index)

    async def named(self, names: str) -> list[str]:
        """Give the names of the indexes that a text with commas, ``*`` or nothing means.

        Raises:
            IndexNotFound: one of them is not there.
        """
        there = [stored.name for stored in await self.indexes()]
        wanted = there if names in {"", "*"} else names.split(",")
        for name in wanted:
            if name not in there:
                raise IndexNotFound(name)
        return wanted

    async def put(self, index: str, items: Sequence[Item]) -> None:
        """Store items; one that is known is replaced.

        Raises:
            IndexNotFound: there is no such index.
        """
        await self._write(index, items, (await self.index(index)).configuration)

    async def get(self, index: str, uuid: str) -> Item | None:
        """Give one item; None when it is not there."""
        found = await self.select(index, "", [uuid])
        return found[0] if found else None

    async def select(self, index: str, typed: str, uuids: Sequence[str]) -> list[Item]:
        """Give the items with all the words; where ``uuids`` names some, only of those."""
        source, _, values = self._matching(typed)
        if source is None:
            return []
        where = f"{source} AND {_OF_INDEXES}" + (" AND item.uuid IN :uuids" if uuids else "")
        return await self._items_of(
            where, indexes=[index], **values, **({"uuids": list(uuids)} if uuids else {})
        )

    async def delete(self, index: str, uuids: Sequence[str]) -> list[str]:
        """Delete items and give those that were there."""
        statement = text(
            "DELETE FROM catalog_item WHERE app = :app AND index_name = :index AND uuid IN :uuids RETURNING uuid"
        ).bindparams(bindparam("uuids", expanding=True))
        rows = await self._session.execute(
            statement, {"app": self._app, "index": index, "uuids": list(uuids)}
        )
        return sorted(rows.scalars())

    async def count(self, index: str) -> int:
        """Count the items of an index."""
        statement = text("SELECT count(*) FROM catalog_item WHERE app = :app AND index_name = :index")
        return int(await self._session.scalar(statement, {"app": self._app, "index": index}) or 0)

    async def search(
        self, indexes: Sequence[str], typed: str, size: int, page: int = 1, published: bool | None = None
    ) -> tuple[int, list[Item]]:
        """Give how many items match and a page of the best of them; an empty text matches all, in order of title."""
        source, order, values = self._matching(typed)
        if source is None or not indexes:
            return 0, []
        where = f"{source} AND {_OF_INDEXES}"
        if published is not None:
            where, values = f"{where} AND item.published = :published", {**values, "published": published}
        values = {**values, "app": self._app, "indexes": list(indexes)}
        total = await self._session.scalar(_expanded(f"SELECT count(*) FROM {where}"), values)
        statement = f"SELECT {_COLUMNS} FROM {where} ORDER BY {order} LIMIT :size OFFSET :offset"
        rows = await self._session.execute(
            _expanded(statement), {**values, "size": size, "offset": (page - 1) * size}
        )
        return int(total or 0), [_item(row) for row in rows.mappings()]

    def _matching(self, typed: str) -> tuple[str | None, str, dict[str, Any]]:
        """``FROM`` and ``WHERE`` for what has all the words, None where nothing can; the order; the parameters."""
        by_title = "item.title, item.uuid"
        if not typed.strip():
            return "catalog_item AS item WHERE 1 = 1", by_title, {}
        expression = self._dialect.expression(typed)
        if expression is None:
            return None, by_title, {}
        return self._dialect.source, f"{self._dialect.order}, {by_title}", {"expression": expression}

    async def _items(self, where: str, **values: Any) -> list[Item]:
        return await self._items_of(f"catalog_item AS item WHERE {where}", **values)

    async def _items_of(self, source: str, **values: Any) -> list[Item]:
        statement = f"SELECT {_COLUMNS} FROM {source} ORDER BY item.uuid"
        rows = await self._session.execute(_expanded(statement), {"app": self._app, **values})
        return [_item(row) for row in rows.mappings()]

    async def _write(self, index: str, items: Sequence[Item], configuration: Configuration) -> None:
        # in one order everywhere: transactions that store the same items would else wait for each other
        rows = [
            {
                "app": self._app,
                "index": index,
                **_row(item),
                **self._dialect.words(_found_by(item, configuration)),
            }
            for item in sorted(items, key=lambda item: item.uuid)
        ]
        if rows:
            await self._session.execute(text(self._dialect.put), rows)

    async def _changes(self, statement: str, **values: Any) -> bool:
        """Run a statement that returns the rows it changed, and tell whether there was one."""
        return (
            await self._session.execute(text(statement), {"app": self._app, **values})
        ).first() is not None


def _expanded(statement: str) -> Any:
    """A statement whose lists are parameters."""
    lists = [name for name in ("indexes", "uuids") if f":{name}" in statement]
    return text(statement).bindparams(*(bindparam(name, expanding=True) for name in lists))


def _found_by(item: Item, configuration: Configuration) -> Item:
    """Give the item with only those fields that are searched."""
    empty: dict[str, Any] = {"title": "", "author": "", "subjects": []}
    hidden = {name: value for name, value in empty.items() if name not in configuration.searchable}
    return msgspec.structs.replace(item, **hidden) if hidden else item


def _row(item: Item) -> dict[str, Any]:
    """Give the columns of an item; its subjects are JSON."""
    return {
        **msgspec.structs.asdict(item),
        "uuid": item.uuid,
        "subjects": msgspec.json.encode(item.subjects).decode(),
    }


def _item(row: Mapping[Any, Any]) -> Item:
    return Item(
        **{**row, "subjects": msgspec.json.decode(row["subjects"]), "published": bool(row["published"])}
    )
