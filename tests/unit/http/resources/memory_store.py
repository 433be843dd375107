"""A store in memory, for tests of what lies above stores: work is kept by its commit, and otherwise not at all."""

from __future__ import annotations

import copy
import itertools
from contextlib import asynccontextmanager
from typing import Any

from worker.errors import Taken
from worker.resources.class_shapes import class_shape
from worker.resources.stores import Page


class MemoryStore:
    """Keeps objects by identifier, as copies."""

    def __init__(self) -> None:
        self.rows: dict[Any, Any] = {}
        self.log: list[str] = []
        self.kept: list[Any] = []
        self._ids = itertools.count(1)

    def shape(self, cls, identifier):
        shape = class_shape(cls)
        assert shape is not None
        return shape

    @asynccontextmanager
    async def work(self, *, read_only):
        work = MemoryWork(self)
        try:
            yield work
        finally:
            self.log.append("end")


class MemoryWork:
    session = None

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._rows = dict(store.rows)
        self._kept: list[Any] = []

    async def find(self, resource, identifiers):
        self._store.log.append("find")
        for row in self._rows.values():
            if all(getattr(row, name) == value for name, value in identifiers.items()):
                return copy.deepcopy(row)
        return None

    async def page(self, resource, wanted):
        self._store.log.append("page")
        rows = [row for row in self._rows.values() if all(_holds(row, one) for one in wanted.conditions)]
        rows.sort(key=lambda row: getattr(row, resource.identifier))
        if wanted.after is not None:
            rows = [row for row in rows if getattr(row, resource.identifier) > wanted.after[-1]]
        page = rows[: wanted.limit]
        last = (getattr(page[-1], resource.identifier),) if len(rows) > wanted.limit else None
        return Page([copy.deepcopy(row) for row in page], len(self._rows), last)

    async def persist(self, resource, obj, *, created):
        self._store.log.append("persist")
        name = resource.identifier
        if getattr(obj, name, None) is None:
            obj = resource.shape.fill(obj, {name: next(self._store._ids)})
        key = getattr(obj, name)
        if created and key in self._rows:
            raise Taken(f"{name} {key!r} is taken", name)
        self._rows[key] = copy.deepcopy(obj)
        return obj

    async def remove(self, resource, obj):
        self._store.log.append("remove")
        del self._rows[getattr(obj, resource.identifier)]

    async def remember(self, finished):
        """Nothing: it dies with the process, as its keys do."""

    async def keep(self, parcels):
        self._kept += parcels

    async def commit(self):
        self._store.log.append("commit")
        self._store.rows = dict(self._rows)
        self._store.kept += self._kept
        self._kept = []


def _holds(row, condition):
    value = getattr(row, condition.field)
    match condition.how:
        case "eq":
            return value == condition.value
        case "in":
            return value in condition.value
        case "contains":
            return condition.value.lower() in value.lower()
        case "gte":
            return value >= condition.value
        case "lte":
            return value <= condition.value
        case "gt":
            return value > condition.value
        case _:
            return value < condition.value
