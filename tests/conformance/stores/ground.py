"""The ground of the suite: a store under test, and short words for one request's work in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from worker.resources.resource import Resource
from worker.resources.stores import Filtered, Ordered, Page, Store, StoreWork, Wanted


class Ground:
    """One store and the resources that are kept in it.

    Args:
        stores: by the name of the resource: ``book`` and ``account``.
        classes: likewise.
    """

    def __init__(self, stores: Mapping[str, Store], classes: Mapping[str, type[Any]]) -> None:
        self.stores = stores
        self.resources = {
            name: Resource(
                name=name.title(),
                cls=cls,
                path=f"/{name}s",
                shape=stores[name].shape(cls, "id"),
                store=stores[name],
            )
            for name, cls in classes.items()
        }

    @asynccontextmanager
    async def work(self, name: str = "book", *, read_only: bool = False) -> AsyncIterator[Work]:
        async with self.stores[name].work(read_only=read_only) as work:
            yield Work(work, self.resources[name])

    async def create(self, name: str = "book", **values: Any) -> dict[str, Any]:
        """Store a new object, as a POST does; return what it holds."""
        async with self.work(name) as work:
            made = await work.create(**values)
            await work.commit()
            return work.values(made)

    async def read(self, id: Any, name: str = "book") -> dict[str, Any] | None:
        """What an object holds; None where there is none."""
        async with self.work(name, read_only=True) as work:
            found = await work.find(id)
            return None if found is None else work.values(found)

    async def change(self, id: Any, name: str = "book", **values: Any) -> dict[str, Any]:
        """Change some fields of an object, as a PATCH does."""
        async with self.work(name) as work:
            obj = work.fill(await work.find(id), values)
            changed = await work.persist(obj)
            await work.commit()
            return work.values(changed)

    async def remove(self, id: Any, name: str = "book") -> None:
        async with self.work(name) as work:
            await work.remove(await work.find(id))
            await work.commit()

    async def page(self, *conditions: Filtered, **wanted: Any) -> Page:
        async with self.work(read_only=True) as work:
            return await work.page(*conditions, **wanted)

    async def titles(self, *conditions: Filtered, **wanted: Any) -> list[str]:
        return [item.title for item in (await self.page(*conditions, **wanted)).items]


class Work:
    """One request's work with one resource."""

    def __init__(self, work: StoreWork, resource: Resource) -> None:
        self.of = work
        self.resource = resource
        self.fill = resource.shape.fill
        self.values = resource.shape.values
        self.commit = work.commit

    async def create(self, **values: Any) -> Any:
        return await self.of.persist(self.resource, self.resource.shape.make(values), created=True)

    async def find(self, id: Any) -> Any:
        return await self.of.find(self.resource, {"id": id})

    async def persist(self, obj: Any) -> Any:
        return await self.of.persist(self.resource, obj, created=False)

    async def remove(self, obj: Any) -> None:
        await self.of.remove(self.resource, obj)

    async def page(
        self, *conditions: Filtered, order: str = "id", limit: int = 30, after: tuple[Any, ...] | None = None
    ) -> Page:
        """A page in an order that is written as in a query string."""
        names = [*order.split(","), *([] if order in {"id", "-id"} else ["id"])]
        ordered = tuple(Ordered(name.removeprefix("-"), name.startswith("-")) for name in names)
        wanted = Wanted(conditions=conditions, order=ordered, limit=limit, after=after)
        return await self.of.page(self.resource, wanted)
