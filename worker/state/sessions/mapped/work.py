"""One request's work with objects of mapped classes: a session, and its one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import InstanceState

from worker.errors import DatabaseUnavailable, Guarded
from worker.messaging.idempotency import Finished
from worker.messaging.parcel import Parcel
from worker.resources.stores import Page, Wanted
from worker.state.idempotency import finish_with
from worker.state.outbox import leave
from worker.state.sessions.mapped.conditions import fits
from worker.state.sessions.mapped.paging import read_page
from worker.state.sessions.mapped.refusals import refusal, unreadable
from worker.state.sessions.mapped.shape import MappedShape
from worker.state.sessions.transaction import SessionTransaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.resources.resource import Resource
    from worker.state.database import Database
    from worker.state.sessions.handler_session import HandlerSession

_TOLD = "it is not known whether the change was stored; look before you repeat it"


class MappedWork:
    """See ``StoreWork``.

    Until it commits, what it has read to change is locked: by SQLite's lock of writers, and by PostgreSQL's of rows, so
    that no other request changes it meanwhile. A class with a version has none of the latter: there the second to write is told
    that it is stale.

    Args:
        database: the state's.
        committed: told after a commit that left messages in the outbox.
        read_only: whether it changes nothing.
    """

    def __init__(self, database: Database, committed: Callable[[], None] | None, *, read_only: bool) -> None:
        self._database = database
        self._committed = committed
        self._read_only = read_only
        self._session: HandlerSession | None = None
        self._parcels: list[Parcel] = []
        self._finished: Finished | None = None
        self._found: dict[int, object] = {}
        self._refused: Exception | None = None
        self._resource: Resource | None = None

    @property
    def _aside(self) -> dict[int, object]:
        held: Any = self.session.sync_session
        aside: dict[int, object] = held.aside
        return aside

    @property
    def session(self) -> HandlerSession:
        """The session; its first statement opens the transaction. After a commit another one begins."""
        if self._session is None:
            self._session = self._database.session(read_only=self._read_only)
        return self._session

    async def find(self, resource: Resource, identifiers: Mapping[str, Any]) -> Any | None:
        """Read an object; locked, where this work may change it."""
        shape = _shape(resource)
        for name, value in identifiers.items():
            if value is None or not fits(getattr(shape.cls, name), value, shape.dialect):
                return None
        self._resource = resource
        found = shape.finding(tuple(identifiers), locked=not self._read_only and shape.version is None)
        async with self._database.bounded():
            rows = (await self.session.execute(found, identifiers)).unique().scalars().all()
        if len(rows) > 1:
            told = ", ".join(f"{name} {value!r}" for name, value in identifiers.items())
            raise Guarded(f"{resource.name}: there is more than one of {told}; ask by {resource.identifier}")
        obj = rows[0] if rows else None
        if obj is not None and not self._read_only:
            self._found[id(obj)] = self._aside[id(obj)] = (
                obj  # its changes are written when that is asked for
            )
        return obj

    async def page(self, resource: Resource, wanted: Wanted) -> Page:
        """Read a page of the collection."""
        async with self._database.bounded():
            try:
                return await read_page(self.session, resource, _shape(resource), wanted)
            except StatementError as error:
                meant = unreadable(error, resource)
                if meant is error:
                    raise
                raise meant from error

    async def persist(self, resource: Resource, obj: Any, *, created: bool) -> Any:
        """Write an object, and read it again: what the database made of it is answered. Others are returned as they are."""
        state = _state(obj)
        if state is None:
            return obj
        self._resource = resource
        async with self._database.bounded():
            obj = await self._attached(state, obj, created=created)
            await self._flush(self.session, resource, removing=False)
            await self.session.refresh(obj, _columns(obj))
        return obj

    async def remove(self, resource: Resource, obj: Any) -> None:
        """Delete an object."""
        state = _state(obj)
        if state is None:
            return
        self._resource = resource
        async with self._database.bounded():
            obj = await self._attached(state, obj, created=False)
            await self.session.delete(obj)
            await self._flush(self.session, resource, removing=True)

    async def keep(self, parcels: Sequence[Parcel]) -> None:
        """Keep messages for the outbox; they are written with the commit."""
        self._parcels += parcels

    async def remember(self, finished: Finished) -> None:
        """Keep the answer of an idempotency key; it is written with the commit."""
        self._finished = finished

    async def commit(self) -> None:
        """Commit what was written, and the messages that were kept.

        Raises:
            DatabaseUnavailable: it was not committed; with ``unknown``, that cannot be told.
        """
        if self._refused is not None:
            raise self._refused  # a processor went on after it: nothing of its transaction is left
        parcels, self._parcels = self._parcels, []
        finished, self._finished = self._finished, None
        session, self._session = self._session, None
        try:
            if session is not None and not self._read_only:
                await self._settled(session, parcels, finished)
            elif parcels:
                async with self._database.begin_write() as transaction:
                    if finished is not None:
                        await finish_with(transaction, finished)
                    await leave(transaction, parcels, self._database.time())
        finally:
            if session is not None:
                await session.let_go()
        if parcels and self._committed is not None:
            self._committed()

    async def end(self) -> None:
        """Undo what was not committed; never raises."""
        session, self._session = self._session, None
        if session is not None:
            await session.let_go()

    async def _settled(
        self, session: HandlerSession, parcels: Sequence[Parcel], finished: Finished | None
    ) -> None:
        async with self._database.bounded():
            if session.new or session.dirty or session.deleted:
                await self._flush(session, self._resource, removing=False)
            if finished is not None:
                connection = await session.connection()
                await finish_with(SessionTransaction(connection, self._database.application), finished)
            if parcels:
                connection = await session.connection()
                await leave(
                    SessionTransaction(connection, self._database.application), parcels, self._database.time()
                )
        try:
            async with self._database.bounded():
                await session.settle()
        except DatabaseUnavailable as error:
            error.unknown = True
            error.told = _TOLD
            raise

    async def _attached(self, state: InstanceState[Any], obj: Any, *, created: bool) -> Any:
        """The object in this work's session; one that came from elsewhere is joined with what is stored."""
        self._aside.pop(id(obj), None)
        if state.session is self.session.sync_session:
            return obj
        if state.session is None and id(obj) in self._found:
            self.session.add(obj)  # it was put aside, with its changes
            return obj
        if created and state.key is None:
            self.session.add(obj)
            return obj
        return await self.session.merge(obj)

    async def _flush(self, session: HandlerSession, resource: Resource | None, *, removing: bool) -> None:
        try:
            await session.flush()
        except Exception as error:
            meant = (
                error if resource is None else refusal(error, resource, _shape(resource), removing=removing)
            )
            self._refused = meant
            if meant is error:
                raise
            raise meant from error


def _shape(resource: Resource) -> MappedShape:
    shape = resource.shape
    if not isinstance(shape, MappedShape):
        raise TypeError(
            f"resource {resource.name}: {resource.cls.__name__} is no mapped class"
        )  # checked at start
    return shape


def _state(obj: Any) -> InstanceState[Any] | None:
    state = inspect(obj, raiseerr=False)
    return state if isinstance(state, InstanceState) else None


def _columns(obj: Any) -> list[str]:
    return [prop.key for prop in inspect(obj).mapper.column_attrs]
