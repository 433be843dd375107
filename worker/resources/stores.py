"""The port of stores: what keeps a resource's objects, and reads them again, for one request at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from worker.errors import Stale, Taken
from worker.messaging.idempotency import Finished
from worker.messaging.parcel import Parcel
from worker.resources.shape import Shape

if TYPE_CHECKING:
    from worker.resources.resource import Resource

__all__ = ["Filtered", "How", "Ordered", "Page", "Stale", "Store", "StoreWork", "Taken", "Wanted"]

How = Literal["eq", "contains", "gt", "gte", "lt", "lte", "in"]
"""How a field is compared; ``contains`` is of texts, whatever the case; ``in`` is with a tuple of values."""


class Filtered(msgspec.Struct, frozen=True):
    """A condition on a field."""

    field: str
    how: How
    value: Any


class Ordered(msgspec.Struct, frozen=True):
    """A field by which a collection is ordered."""

    field: str
    descending: bool = False


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a collection.

    Attributes:
        conditions: all of them hold.
        order: the identifier is always last, so that the order is total.
        limit: objects at most.
        after: what the order's fields hold in the last object of the page before; None for the first page.
    """

    conditions: tuple[Filtered, ...] = ()
    order: tuple[Ordered, ...] = ()
    limit: int = 30
    after: tuple[Any, ...] | None = None


class Page(msgspec.Struct):
    """A part of a collection.

    Attributes:
        items: in order.
        total: how many objects all pages have together.
        last: what the order's fields hold in the last item; None where no page follows.
    """

    items: list[Any]
    total: int
    last: tuple[Any, ...] | None = None


class StoreWork(Protocol):
    """One request's work in a store: what it changes is kept by ``commit``, and otherwise not at all.

    A store of documents keeps each change as it is made. Each method may raise ``Unavailable``.
    """

    @property
    def session(self) -> Any | None:
        """The SQLAlchemy session; None where there is none."""
        ...

    async def find(self, resource: Resource, identifiers: Mapping[str, Any]) -> Any | None:
        """Return the object of these identifiers; None where there is none."""
        ...

    async def page(self, resource: Resource, wanted: Wanted) -> Page:
        """Return a page of the collection."""
        ...

    async def persist(self, resource: Resource, obj: Any, *, created: bool) -> Any:
        """Store an object, and return it as it is stored: with its identifier and its defaults.

        Raises:
            Taken: its identifier, or what else is unique, is taken.
            Stale: it has been changed since it was read.
        """
        ...

    async def remove(self, resource: Resource, obj: Any) -> None:
        """Remove an object.

        Raises:
            Stale: it has been changed, or removed, since it was read.
        """
        ...

    async def keep(self, parcels: Sequence[Parcel]) -> None:
        """Keep messages that leave with the commit."""
        ...

    async def remember(self, finished: Finished) -> None:
        """Keep the answer of an idempotency key with the commit, so that a repeat after a crash changes nothing again.

        A store that cannot commit both at once does nothing.
        """
        ...

    async def commit(self) -> None:
        """Make what was changed hold; it can go on afterwards."""
        ...


class Store(Protocol):
    """Keeps objects of resources."""

    def shape(self, cls: type[Any], identifier: str) -> Shape:
        """Say how objects of a class become data and back.

        Raises:
            ConfigurationError: it cannot keep objects of this class; says why.
        """
        ...

    def work(self, *, read_only: bool) -> AbstractAsyncContextManager[StoreWork]:
        """Begin one request's work; what was not committed is undone at its end."""
        ...
