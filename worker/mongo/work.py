"""One request's work with documents: each change is kept as it is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from pymongo.errors import DuplicateKeyError

from worker.errors import Fault, InvalidMessage, Stale, WorkerError
from worker.messaging.idempotency import Finished
from worker.messaging.parcel import Parcel
from worker.mongo.queries import Query, after, both, condition
from worker.mongo.refusals import meant, silent
from worker.mongo.shape import DocumentShape
from worker.mongo.values import as_stored, is_same, stored
from worker.resources.loosening import loosened
from worker.resources.repeating import repeated
from worker.resources.stores import Page, Wanted

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection

    from worker.resources.resource import Resource

Keep = Callable[[Sequence[Parcel]], Awaitable[None]]


class DocumentWork:
    """See ``StoreWork``. A change writes the fields that differ from what was read, so that changes of others are kept.

    Args:
        collection: of documents.
        shown: the database's URL, without its password.
        seconds: for which an answer is waited for.
        keep: keeps messages for the brokers.

    Attributes:
        session: there is none.
    """

    session = None

    def __init__(
        self, collection: AsyncCollection[dict[str, Any]], shown: str, seconds: float, keep: Keep
    ) -> None:
        self._collection = collection
        self._shown = shown
        self._seconds = seconds
        self._keep = keep
        self._parcels: list[Parcel] = []
        self._read: dict[Any, dict[str, Any]] = {}

    async def find(self, resource: Resource, identifiers: Mapping[str, Any]) -> Any | None:
        """Read an object."""
        shape = _shape(resource)
        query = {shape.keys[name]: {"$eq": stored(value)} for name, value in identifiers.items()}
        try:
            async with self._asking(resource, shape, writing=False):
                document = await self._collection.find_one(query)
        except InvalidMessage:  # no document has such an identifier
            return None
        if document is None:
            return None
        self._read[document["_id"]] = document
        return self._made(resource, shape, document)

    async def page(self, resource: Resource, wanted: Wanted) -> Page:
        """Read a page of the collection."""
        shape = _shape(resource)
        conditions = both([condition(shape.keys[one.field], one) for one in wanted.conditions])
        query: Query = conditions
        if wanted.after is not None:
            query = both(
                [
                    *([conditions] if conditions else []),
                    after(wanted.order, shape.keys, _place(resource, shape, wanted)),
                ]
            )
        order = [(shape.keys[one.field], -1 if one.descending else 1) for one in wanted.order]
        async with self._asking(resource, shape, writing=False):
            found = self._collection.find(query, limit=wanted.limit + 1, sort=order or None)
            documents, total = await asyncio.gather(
                found.to_list(), self._collection.count_documents(conditions)
            )
        items = [self._made(resource, shape, document) for document in documents[: wanted.limit]]
        last = None
        if len(documents) > wanted.limit and items:
            values = shape.values(items[-1])
            last = tuple([values[one.field] for one in wanted.order])
        return Page(items, total, last)

    async def persist(self, resource: Resource, obj: Any, *, created: bool) -> Any:
        """Write an object, and return it as it was written. Others are returned as they are."""
        shape = _shape(resource)
        if not isinstance(obj, shape.cls):
            return obj
        async with self._asking(resource, shape, writing=True):
            document = as_stored(shape.document(obj))
            if created:
                if shape.version is not None:
                    document[shape.keys[shape.version]] = 1  # the store counts, whatever is given
                document = await self._inserted(document)
            else:
                document = await self._updated(resource, shape, document)
        self._read[document["_id"]] = document
        return shape.refilled(obj, document)

    async def remove(self, resource: Resource, obj: Any) -> None:
        """Delete an object."""
        shape = _shape(resource)
        if not isinstance(obj, shape.cls):
            return
        async with self._asking(resource, shape, writing=True):
            document = as_stored(shape.document(obj))
            done = await self._collection.delete_one(self._same(shape, document))
        if not done.deleted_count:
            raise _stale(resource)

    async def keep(self, parcels: Sequence[Parcel]) -> None:
        """Keep messages; they are left for the brokers with the commit."""
        self._parcels += parcels

    async def remember(self, finished: Finished) -> None:
        """Nothing: the keys are in another database."""

    async def commit(self) -> None:
        """Leave the messages; the documents are changed already."""
        parcels, self._parcels = self._parcels, []
        if parcels:
            await self._keep(parcels)

    async def _inserted(self, document: dict[str, Any]) -> dict[str, Any]:
        """Write a new document; return what is stored: in a repeat that may be what an earlier try has written."""
        try:
            await self._collection.insert_one(dict(document))
        except DuplicateKeyError:
            request = repeated()
            if request is None:
                raise
            id = document["_id"]
            found = await self._collection.find_one({"_id": {"$eq": id}})
            if found is None or not (request.has_made(id) or found == document):
                raise
            return dict(found)
        return document

    async def _updated(
        self, resource: Resource, shape: DocumentShape, document: dict[str, Any]
    ) -> dict[str, Any]:
        """Write what differs from what was read; return what is stored."""
        read = self._read.get(document["_id"], {})
        changed = {
            key: value
            for key, value in document.items()
            if key != "_id" and not (key in read and is_same(read[key], value))
        }
        gone = [key for key in shape.keys.values() if key in read and key not in document]
        if not changed and not gone:
            return document
        query = self._same(shape, document)
        if shape.version is not None:
            key = shape.keys[shape.version]
            changed[key] = query[key]["$eq"] + 1
            document = {**document, key: changed[key]}
        change: dict[str, Any] = {"$set": changed} if changed else {}
        if gone:
            change["$unset"] = dict.fromkeys(gone, "")
        done = await self._collection.update_one(query, change)
        if not done.matched_count:
            raise _stale(resource)
        return document

    def _same(self, shape: DocumentShape, document: Mapping[str, Any]) -> Query:
        """Ask for a document, where there is a version in the one that was read."""
        query: Query = {"_id": {"$eq": document["_id"]}}
        if shape.version is not None:
            key = shape.keys[shape.version]
            query[key] = {"$eq": self._read.get(document["_id"], document).get(key)}
        return query

    def _made(self, resource: Resource, shape: DocumentShape, document: Mapping[str, Any]) -> Any:
        try:
            return shape.made_of(document)
        except ValueError as error:
            raise WorkerError(
                f"documents {self._shown}: {self._collection.name} {document['_id']!r} is no {resource.name}: {error}"
            ) from error

    @asynccontextmanager
    async def _asking(
        self, resource: Resource, shape: DocumentShape, *, writing: bool
    ) -> AsyncIterator[None]:
        """Bound what is awaited inside, and say what its errors mean."""
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                yield
        except Exception as error:
            if limit.expired() and isinstance(error, TimeoutError):
                raise silent(self._shown, self._seconds, writing=writing) from error
            told = meant(error, resource.name, shape, self._shown, writing=writing)
            if told is error:
                raise
            raise told from error


def _place(resource: Resource, shape: DocumentShape, wanted: Wanted) -> list[Any]:
    """Read the values of a place: the client could have made them up."""
    given = wanted.after or ()
    if len(given) != len(wanted.order):
        raise InvalidMessage(
            resource.name, [Fault("/next", "is of another order; leave it out to begin anew")]
        )
    try:
        return [
            None if value is None else msgspec.convert(value, loosened(shape.fields[one.field]))
            for one, value in zip(wanted.order, given, strict=True)
        ]
    except (ValueError, TypeError):
        raise InvalidMessage(
            resource.name, [Fault("/next", "is no place in this order; leave it out to begin anew")]
        ) from None


def _shape(resource: Resource) -> DocumentShape:
    shape = resource.shape
    if not isinstance(shape, DocumentShape):
        raise TypeError(f"resource {resource.name}: its objects are no documents")  # checked at start
    return shape


def _stale(resource: Resource) -> Stale:
    return Stale(f"{resource.name}: changed or removed since it was read; read it again")
